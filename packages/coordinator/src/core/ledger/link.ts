/** What a task waits for, until it may run. */
import type { TaskId } from "@weft/protocol";
import { withDependent } from "./dependents.ts";
import { hasExpired, mayHaveExpired } from "./retention.ts";
import { end, failedThrough, release } from "./settle.ts";
import type { LedgerState } from "./state.ts";
import { isFreed, type LiveTask, type Living, type Verdict } from "./task.ts";

export function link(ledger: LedgerState, task: LiveTask, living: Living): void {
  for (let at = 0; at < living.length; at++) {
    const dependency = living[at];
    if (dependency !== undefined) {
      task.unmet++;
      dependency.dependents = withDependent(dependency.dependents, task);
      continue;
    }
    const id = task.dependencies[at];
    const verdict = id === undefined ? null : judgeAbsent(ledger, task, id);
    if (verdict !== null) return end(ledger, task, "failed", verdict);
  }
  if (task.unmet === 0) release(ledger, task);
  else if (task.terms.dependencyTimeoutMs > 0) ledger.timers.wait(task, task.terms.dependencyTimeoutMs);
}

/**
 * A dependency that does not live: what its dependent fails with; null where that may go on, or waits for what nobody has
 * submitted yet.
 */
function judgeAbsent(ledger: LedgerState, task: LiveTask, id: TaskId): Verdict | null {
  const settled = ledger.settled.get(id);
  if (settled !== undefined) {
    if (isFreed(settled)) return { type: "result_expired", task: id };
    return settled.outcome === "succeeded" ? null : failedThrough(settled);
  }
  if (hasExpired(ledger, id)) return { type: "result_expired", task: id };
  task.unmet++;
  awaitUnknown(ledger, id, task);
  return null;
}

function awaitUnknown(ledger: LedgerState, id: TaskId, task: LiveTask): void {
  const waiters = ledger.unknown.get(id);
  if (waiters === undefined) {
    ledger.unknown.set(id, [task]);
    ledger.unknownDeadlines.add(id);
  } else ledger.unknown.set(id, withDependent(waiters, task));
}

/** Nobody has submitted the id within its minute. */
export function giveUpUnknown(ledger: LedgerState, id: TaskId): void {
  const waiters = ledger.unknown.get(id) ?? [];
  ledger.unknown.delete(id);
  const verdict: Verdict = mayHaveExpired(ledger, id)
    ? { type: "result_expired", task: id }
    : { type: "unknown_dependency", dependency: id };
  for (const task of waiters) if (!task.isSettled) end(ledger, task, "failed", { ...verdict });
}
