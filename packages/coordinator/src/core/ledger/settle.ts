/** Releases tasks, and gives them their outcome, and those that wait for them what follows from that. */
import type { Outcome, Stopped, TimeLimit } from "@weft/protocol";
import { bury, orphan } from "./children.ts";
import { NOBODY } from "./dependents.ts";
import { unpinDependencies } from "./retention.ts";
import type { LedgerState } from "./state.ts";
import type { CancelRequest, LiveTask, Position, SettledTask, Verdict } from "./task.ts";

export type Ending = {
  readonly outcome: Outcome;
  readonly finish: Position | null;
  readonly verdict: Verdict | null;
  readonly progress: Uint8Array | null;
  readonly value: Uint8Array | null;
};

export function release(ledger: LedgerState, task: LiveTask): void {
  task.state = "released";
  awaitBeginning(ledger, task);
  ledger.effects.push({ type: "released", task });
}

/** Released is the current attempt: how long it may take until it is begun. */
export function awaitBeginning(ledger: LedgerState, task: LiveTask): void {
  task.waitDueMs = null;
  if (task.terms.queueTimeoutMs !== null) ledger.timers.wait(task, task.terms.queueTimeoutMs);
}

/** Settles by a verdict of the fold. */
export function end(ledger: LedgerState, task: LiveTask, outcome: Outcome, verdict: Verdict): void {
  settle(ledger, task, { outcome, finish: null, verdict, progress: null, value: null });
}

export function endTimedOut(ledger: LedgerState, task: LiveTask, limit: TimeLimit, ms: number): void {
  end(ledger, task, "timed_out", { type: "timed_out", limit, ms });
}

export function endCancelled(ledger: LedgerState, task: LiveTask, stopped: Stopped): void {
  end(ledger, task, "cancelled", cancelled(task.cancel?.reason ?? null, stopped, task.cancel));
}

export function cancelled(
  reason: string | null,
  stopped: Stopped,
  request: CancelRequest | null = null,
): Verdict {
  const { children, dependents } = request ?? { children: 0, dependents: 0 };
  return { type: "cancelled", reason, stopped, children, dependents };
}

export function settle(ledger: LedgerState, task: LiveTask, ending: Ending): void {
  const settled = conclude(ledger, task, ending);
  // Most tasks: nothing is made for them that only those need which somebody waits for.
  if (task.dependents.length === 0) return;
  if (settled.outcome !== "succeeded") return failDependents(ledger, task, settled);
  for (const dependent of task.dependents)
    if (isWaiting(dependent) && --dependent.unmet === 0) release(ledger, dependent);
  task.dependents = NOBODY;
}

/** With whatever waits for these in turn. */
function failDependents(ledger: LedgerState, first: LiveTask, firstSettled: SettledTask): void {
  const open: [LiveTask, SettledTask][] = [[first, firstSettled]];
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    const [task, settled] = next;
    for (const dependent of task.dependents) {
      if (!isWaiting(dependent)) continue;
      const verdict = failedThrough(settled);
      const ending: Ending = { outcome: "failed", finish: null, verdict, progress: null, value: null };
      open.push([dependent, conclude(ledger, dependent, ending)]);
    }
    task.dependents = NOBODY;
  }
}

function isWaiting(dependent: LiveTask): boolean {
  return !dependent.isSettled && dependent.state === "waiting";
}

/** The outcome of one task alone: what waits for it is left to the caller. */
export function conclude(ledger: LedgerState, task: LiveTask, ending: Ending): SettledTask {
  const settled: SettledTask = {
    id: task.id,
    name: task.name,
    outcome: ending.outcome,
    attempt: task.attempt,
    tries: task.tries,
    submitted: task.submitted,
    settledAtMs: ledger.clock.nowMs,
    finish: ending.finish,
    verdict: ending.verdict,
  };
  ledger.live.delete(task.id);
  task.isSettled = true;
  ledger.argsBytes -= task.argsBytes;
  if (ledger.carried.size > 0) ledger.carried.drop(task.submitted.seq, task.argsBytes);
  // Most tasks have neither: to walk the empty lists that all of them share takes more than the rest of this.
  if (task.dependencies.length > 0) unpinDependencies(ledger, task);
  const pins =
    task.dependents.length === 0 ? 0 : task.dependents.filter(({ isSettled }) => !isSettled).length;
  ledger.settled.add(settled, ending.value?.length ?? 0, pins);
  bury(ledger, task);
  orphan(ledger, task, ending.outcome === "succeeded");
  const { progress, value } = ending;
  ledger.effects.push({ type: "settled", task: settled, live: task, progress, value });
  return settled;
}

export function failedThrough(dependency: SettledTask): Verdict {
  const { verdict } = dependency;
  const further = verdict?.type === "dependency_failed";
  return {
    type: "dependency_failed",
    dependency: dependency.id,
    root: further ? verdict.root : dependency.id,
    distance: further ? verdict.distance + 1 : 1,
  };
}
