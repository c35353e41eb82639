/**
 * Why a task is not done yet: facts about it, then about what it waits for, link by link down to the task that nothing
 * but itself keeps. Of several dependencies that are missing the first is followed.
 */
import type { ExplainReport, Fact, TaskId } from "@weft/protocol";
import { isLive, type Ledger, type LiveTask } from "../core/ledger/index.ts";
import type { Scheduler } from "../core/scheduler/index.ts";
import { because } from "./because.ts";
import { factsOf, missingOf } from "./facts.ts";

/** Links that are followed. */
const LINKS_MAX = 20;

/** Null where nobody knows the task. */
export function explain(id: TaskId, ledger: Ledger, scheduler: Scheduler): ExplainReport | null {
  const task = ledger.live.get(id) ?? ledger.settled.get(id);
  if (task === undefined) return null;
  const { name } = task;
  if (!isLive(task)) {
    const text = because(task, ledger, scheduler);
    return { id, name, state: task.outcome, facts: [{ id, name, type: "settled", text }] };
  }
  const facts: Fact[] = [];
  let at: LiveTask | undefined = task;
  for (let links = 0; at !== undefined; links++) {
    facts.push(...factsOf(at, ledger, scheduler));
    const next: TaskId | undefined = missingOf(at, ledger).find((each) => ledger.live.has(each));
    if (next !== undefined && links >= LINKS_MAX) {
      facts.push({ id: next, name: at.name, type: "cut", text: `the chain goes on: weft explain ${next}` });
      break;
    }
    at = next === undefined ? undefined : ledger.live.get(next);
  }
  return { id, name, state: task.state, facts };
}
