/** From the outcome on the wire to what a user gets: the decoded value, or an error with its chain of causes. */
import {
  assertNever,
  CycleError,
  DefectError,
  DependencyFailedError,
  decodeFailure,
  decodeProgress,
  decodeValue,
  LogFullError,
  ParentGoneError,
  type ProgressReport,
  type Reason,
  ResultExpiredError,
  rebuildError,
  type SettledTask,
  TaskCancelledError,
  TaskFailedError,
  type TaskRef,
  TaskRejectedError,
  TaskSkippedError,
  TaskTimedOutError,
  UnknownDependencyError,
  WorkersLostError,
} from "@weft/protocol";
import type { AlsoStopped, Settlement } from "./handle.ts";

export function settlementOf(task: SettledTask): Settlement<unknown> {
  if (task.outcome !== "succeeded") return { ...factsOf(task), error: errorOf(task) };
  const { outcome, attempt, tries } = task;
  try {
    const value = task.value === null ? undefined : decodeValue(task.value);
    return { outcome, attempt, tries, stopped: null, also: NONE, value };
  } catch (error) {
    return { outcome, attempt, tries, stopped: null, also: NONE, error: error as Error };
  }
}

const NONE: AlsoStopped = Object.freeze({ children: 0, dependents: 0 });

/** Of a task whose result is there no more, or is not what it was. */
export function unreadableOf(task: SettledTask, error: Error): Settlement<unknown> {
  return { ...factsOf(task), error };
}

/** Of a task that nobody has submitted, or that is not kept any more. */
export function unknownOf(error: Error): Settlement<unknown> {
  return { outcome: "rejected", attempt: 0, tries: 0, stopped: null, also: NONE, error };
}

function factsOf({ outcome, attempt, tries, reason }: SettledTask): Omit<Settlement<unknown>, "value"> {
  const cancel = reason?.type === "cancelled" ? reason : null;
  const also = cancel === null ? NONE : { children: cancel.children, dependents: cancel.dependents };
  return { outcome, attempt, tries, stopped: cancel?.stopped ?? null, also };
}

export function lastProgressOf(task: SettledTask): ProgressReport | null {
  return task.progress === null ? null : decodeProgress(task.progress);
}

function errorOf(task: SettledTask): Error {
  const { outcome, reason, tries } = task;
  const own: TaskRef = { id: task.id, name: task.name };
  switch (outcome) {
    case "cancelled":
      return new TaskCancelledError(own, reason?.type === "cancelled" ? reason.reason : null);
    case "timed_out":
      return new TaskTimedOutError(own, {
        ...(reason?.type === "timed_out" ? reason : { limit: "run", ms: 0 }),
        tries,
      });
    case "skipped":
      return new TaskSkippedError(own);
    case "rejected":
      return new TaskRejectedError(own, causeOf(task));
    case "failed":
      return new TaskFailedError(own, task, causeOf(task));
    case "succeeded":
      throw new DefectError("a success has no error");
    default:
      return assertNever(outcome);
  }
}

function causeOf(task: SettledTask): Error {
  const { reason } = task;
  if (reason === null) return recorded(task.value);
  if (reason.type !== "dependency_failed") return byReason(reason, task);
  return throughDependencies(reason, task);
}

/** From the root of the chain outwards: each link's error is the cause of the next. */
function throughDependencies(
  reason: Extract<Reason, { type: "dependency_failed" }>,
  task: SettledTask,
): Error {
  const { root } = reason;
  let error: Error | undefined;
  // The chain ends where the next of it is not kept any more.
  if (root?.type === "result_expired") error = byReason(root, task);
  for (const [i, link] of [...reason.chain].reverse().entries()) {
    const ref = { id: link.id, name: link.name };
    let cause: Error | undefined = error;
    if (i === 0 && cause === undefined) {
      const value = task.value;
      const rootTask = {
        ...task,
        ...ref,
        outcome: link.outcome,
        attempt: link.attempt,
        tries: link.tries,
        reason: reason.root,
        value,
      };
      cause = errorOf(rootTask);
    } else if (i === 1 && reason.omitted > 0) {
      cause = new Error(`… ${reason.omitted} dependencies further on …`, { cause: error });
    }
    error = new DependencyFailedError(ref, cause);
  }
  return error ?? new DefectError("a dependency failed and the chain is empty");
}

function byReason(reason: Exclude<Reason, { type: "dependency_failed" }>, task: SettledTask): Error {
  switch (reason.type) {
    case "unknown_dependency":
      return new UnknownDependencyError(reason.dependency);
    case "result_expired":
      return new ResultExpiredError(reason.task);
    case "log_full":
      return new LogFullError(task.id);
    case "cycle":
      return new CycleError(reason.path);
    case "parent_gone":
      return new ParentGoneError(reason.parent, reason.attempt);
    case "workers_lost":
      return new WorkersLostError(task.id, reason.losses);
    case "cancelled":
      return new TaskCancelledError({ id: task.id, name: task.name }, reason.reason);
    case "timed_out":
      return new TaskTimedOutError({ id: task.id, name: task.name }, { ...reason, tries: task.tries });
    default:
      return assertNever(reason);
  }
}

function recorded(value: Uint8Array | null): Error {
  return value === null
    ? new Error("the task failed and recorded no reason")
    : rebuildError(decodeFailure(value));
}
