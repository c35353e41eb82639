/** Stops tasks that somebody no longer wants, with their children, and with what waits for them where that was asked for. */
import type { Cancel, CancelRecord, Stopped } from "@weft/protocol";
import { NOBODY } from "./dependents.ts";
import { ownText } from "./own-text.ts";
import { cancelled, conclude, end } from "./settle.ts";
import type { LedgerState } from "./state.ts";
import type { CancelRequest, LiveTask } from "./task.ts";

const EARLY_CANCELS_MAX = 100_000;

export function cancelAll(ledger: LedgerState, record: CancelRecord): void {
  for (const each of record.cancels) cancelOne(ledger, each);
}

function cancelOne(ledger: LedgerState, cancel: Cancel): void {
  const task = ledger.live.get(cancel.id);
  if (task !== undefined) return cancelTree(ledger, task, cancel);
  const children = ledger.children.get(cancel.id);
  if (children !== undefined) for (const child of [...children]) cancelTree(ledger, child, cancel);
  else if (ledger.settled.has(cancel.id)) ledger.void("cancel of a settled task");
  else cancelEarly(ledger, cancel);
}

/** Parents that ended take their children with them, level by level. */
export function cancelOrphans(ledger: LedgerState): void {
  for (let child = ledger.orphans.pop(); child !== undefined; child = ledger.orphans.pop()) {
    if (child.isSettled) continue;
    const parent = ledger.settled.get(child.parent?.id ?? child.id);
    const verdict = parent?.verdict ?? null;
    const reason = verdict?.type === "cancelled" ? verdict.reason : `its parent ${child.parent?.id} is over`;
    cancelTree(ledger, child, { reason, dependents: false });
  }
}

type Asked = Pick<Cancel, "reason" | "dependents">;

function cancelTree(ledger: LedgerState, first: LiveTask, { reason, dependents }: Asked): void {
  const tree = treeOf(ledger, first, dependents);
  const others = tree.size - 1 - tree.dependents;
  const atMs = ledger.clock.nowMs;
  const own: CancelRequest = { reason: ownText(reason), children: others, dependents: tree.dependents, atMs };
  for (const task of tree.tasks) {
    // It may have failed meanwhile, through a task of the same tree.
    if (task.isSettled || task.state === "cancelling") continue;
    task.cancel = task === first ? own : { ...own, children: 0, dependents: 0 };
    if (task.state === "released") {
      task.state = "cancelling";
      task.waitDueMs = null;
      ledger.effects.push({ type: "cancelling", task });
    } else stopAtOnce(ledger, task, dependents);
  }
}

/** It is out at no worker. */
function stopAtOnce(ledger: LedgerState, task: LiveTask, dependents: boolean): void {
  const stopped: Stopped = task.state === "backing_off" ? "between_attempts" : "before_release";
  const verdict = cancelled(task.cancel?.reason ?? null, stopped, task.cancel);
  if (!dependents) return end(ledger, task, "cancelled", verdict);
  // What waits for it is in the same tree: it is cancelled, and does not fail.
  conclude(ledger, task, { outcome: "cancelled", finish: null, verdict, progress: null, value: null });
  task.dependents = NOBODY;
}

type Tree = { readonly tasks: Iterable<LiveTask>; readonly size: number; readonly dependents: number };

/** The task, its children at every level, and what waits for any of them where that is wanted. */
function treeOf(ledger: LedgerState, first: LiveTask, withDependents: boolean): Tree {
  const tasks = new Set([first]);
  let dependents = 0;
  // A set is walked in the order of insertion, what was added on the way included.
  for (const task of tasks) {
    for (const child of ledger.children.get(task.id) ?? []) tasks.add(child);
    if (!withDependents) continue;
    for (const dependent of task.dependents) {
      if (dependent.isSettled || tasks.has(dependent)) continue;
      tasks.add(dependent);
      dependents++;
    }
  }
  return { tasks, size: tasks.size, dependents };
}

function cancelEarly(ledger: LedgerState, { id, reason }: Cancel): void {
  if (ledger.earlyCancels.size >= EARLY_CANCELS_MAX) return;
  ledger.earlyCancels.set(id, ownText(reason));
  ledger.earlyCancelDeadlines.add(id);
}
