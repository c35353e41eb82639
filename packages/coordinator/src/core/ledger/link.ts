/** What a task waits for, until it may run. */
import type { TaskId } from "@weft/protocol";
import { withDependent } from "./dependents.ts";
import { hasExpired, mayHaveExpired } from "./retention.ts";
import { end, failedThrough, release } from "./settle.ts";
import type { LedgerState } from "./state.ts";
import { isFreed, type LiveTask, type Verdict } from "./task.ts";

export function link(ledger: LedgerState, task: LiveTask): void {
  for (const id of task.dependencies) {
    // What lives is not settled, and is found in one look: of most dependencies that are submitted with their dependents.
    const dependency = ledger.live.get(id);
    const settled = dependency === undefined ? ledger.settled.get(id) : undefined;
    if (settled !== undefined) {
      if (isFreed(settled)) return end(ledger, task, "failed", { type: "result_expired", task: id });
      if (settled.outcome === "succeeded") continue;
      return end(ledger, task, "failed", failedThrough(settled));
    }
    if (dependency === undefined && hasExpired(ledger, id))
      return end(ledger, task, "failed", { type: "result_expired", task: id });
    task.unmet++;
    if (dependency !== undefined)
      dependency.dependents = withDependent(dependency.dependents, task, ledger.live);
    else awaitUnknown(ledger, id, task);
  }
  if (task.unmet === 0) release(ledger, task);
  else if (task.dependencyTimeoutMs > 0) ledger.timers.wait(task, task.dependencyTimeoutMs);
}

function awaitUnknown(ledger: LedgerState, id: TaskId, task: LiveTask): void {
  const waiters = ledger.unknown.get(id);
  if (waiters === undefined) {
    ledger.unknown.set(id, [task]);
    ledger.unknownDeadlines.add(id);
  } else ledger.unknown.set(id, withDependent(waiters, task, ledger.live));
}

/** Nobody has submitted the id within its minute. */
export function giveUpUnknown(ledger: LedgerState, id: TaskId): void {
  const waiters = ledger.unknown.get(id) ?? [];
  ledger.unknown.delete(id);
  const verdict: Verdict = mayHaveExpired(ledger, id)
    ? { type: "result_expired", task: id }
    : { type: "unknown_dependency", dependency: id };
  for (const task of waiters)
    if (ledger.live.get(task.id) === task) end(ledger, task, "failed", { ...verdict });
}
