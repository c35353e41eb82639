/** Tells a verdict in the words of the wire: the chain of failed dependencies is followed here, and cut where it is long. */
import type { ChainLink, Reason, TaskId } from "@weft/protocol";
import type { Ledger } from "./ledger.ts";
import type { SettledTask } from "./task.ts";

/** Links that are told: the nearest ones, then the root. */
const LINKS_MAX = 16;

export type Told = {
  readonly reason: Reason | null;
  /** The task whose recorded value or failure belongs to the answer; null where none does. */
  readonly source: SettledTask | null;
};

export function tell(ledger: Ledger, task: SettledTask): Told {
  const { verdict } = task;
  if (verdict === null) return { reason: null, source: task };
  if (verdict.type !== "dependency_failed") return { reason: verdict, source: null };
  const chain: ChainLink[] = [];
  for (let at = task; at.verdict?.type === "dependency_failed" && chain.length < LINKS_MAX - 1; ) {
    const next = ledger.settled.get(at.verdict.dependency);
    if (next === undefined) return cutOff(chain, at.verdict.dependency);
    at = next;
    chain.push(linkOf(at));
  }
  const root = ledger.settled.get(verdict.root);
  if (root === undefined) return cutOff(chain, verdict.root);
  const omitted = Math.max(0, verdict.distance - LINKS_MAX);
  if (chain.length < verdict.distance) chain.push(linkOf(root));
  const why = root.verdict === null || root.verdict.type === "dependency_failed" ? null : root.verdict;
  return {
    reason: { type: "dependency_failed", chain, omitted, root: why },
    source: why === null ? root : null,
  };
}

function linkOf(task: SettledTask): ChainLink {
  return { id: task.id, name: task.name, outcome: task.outcome, attempt: task.attempt, tries: task.tries };
}

/** The rest of the chain has settled before, and has left already. */
function cutOff(chain: readonly ChainLink[], id: TaskId): Told {
  const root = { type: "result_expired", task: id } as const;
  return { reason: { type: "dependency_failed", chain, omitted: 0, root }, source: null };
}
