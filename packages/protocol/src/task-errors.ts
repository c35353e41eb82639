/** What a handle rejects with: the outcome of a task, told as an error. */

import { durationText, momentText } from "./duration.ts";
import { assertNever, WeftError, type WeftErrorOptions } from "./errors.ts";
import type { TaskId } from "./ids.ts";
import type { TimeLimit, WorkerLoss } from "./outcome.ts";

export type TaskRef = { readonly id: TaskId; readonly name: string };

/** Common to every error that tells the outcome of one task. */
export class TaskError extends WeftError {
  readonly taskId: TaskId;
  constructor(
    code: string,
    message: string,
    taskId: TaskId,
    options: WeftErrorOptions & { readonly retryable?: boolean } = {},
  ) {
    super(code, message, options);
    this.taskId = taskId;
  }
}

/** The task's code threw, or one of its dependencies failed; `cause` is what happened. */
export class TaskFailedError extends TaskError {
  /** The number of the attempt that failed: it also counts those whose code never began. */
  readonly attempt: number;
  /** How many times its code was begun. */
  readonly attempts: number;
  constructor(task: TaskRef, ended: { readonly attempt: number; readonly tries: number }, cause: unknown) {
    const { attempt, tries } = ended;
    const why = cause instanceof Error ? `${cause.name}: ${cause.message}` : String(cause);
    const after = tries > 1 ? ` after ${tries} attempts` : "";
    super("weft_task_failed", `task ${task.name} ${task.id} failed${after}: ${why}`, task.id, { cause });
    this.attempt = attempt;
    this.attempts = tries;
  }
}

/** The task was cancelled before it finished. */
export class TaskCancelledError extends TaskError {
  readonly reason: string | null;
  constructor(task: TaskRef, reason: string | null) {
    super(
      "weft_task_cancelled",
      `task ${task.name} ${task.id} was cancelled${reason === null ? "" : `: ${reason}`}`,
      task.id,
    );
    this.reason = reason;
  }
}

/** The task ran out of time: `limit` says of which, `limitMs` how long that was. */
export class TaskTimedOutError extends TaskError {
  readonly limit: TimeLimit;
  /** Of a deadline: the moment that it was, in milliseconds since 1970. */
  readonly limitMs: number;
  /** How many times its code was begun. */
  readonly attempts: number;
  constructor(
    task: TaskRef,
    over: { readonly limit: TimeLimit; readonly ms: number; readonly tries: number },
  ) {
    const { limit, ms, tries } = over;
    const after = tries > 1 ? ` (after ${tries} attempts)` : "";
    super("weft_task_timed_out", `task ${task.name} ${task.id} ${timedOutText(limit, ms)}${after}`, task.id);
    this.limit = limit;
    this.limitMs = ms;
    this.attempts = tries;
  }
}

/** In words that follow the task. */
export function timedOutText(limit: TimeLimit, ms: number): string {
  switch (limit) {
    case "run":
      return `ran for longer than its time-out of ${durationText(ms)}`;
    case "queue":
      return `was not begun within its queue time-out of ${durationText(ms)}`;
    case "dependency":
      return `waited for its dependencies for longer than its dependency time-out of ${durationText(ms)}`;
    case "deadline":
      return `did not end by its deadline, ${momentText(ms)}`;
    default:
      return assertNever(limit);
  }
}

/** The task was skipped by a condition. */
export class TaskSkippedError extends TaskError {
  constructor(task: TaskRef) {
    super("weft_task_skipped", `task ${task.name} ${task.id} was skipped`, task.id);
  }
}

/** The cluster refused the task; `cause` says why. */
export class TaskRejectedError extends TaskError {
  constructor(task: TaskRef, cause: Error) {
    super("weft_task_rejected", `task ${task.name} ${task.id} was refused: ${cause.message}`, task.id, {
      cause,
    });
  }
}

/** A dependency did not succeed, so its dependent cannot run; `cause` is the dependency's own error. */
export class DependencyFailedError extends TaskError {
  constructor(dependency: TaskRef, cause: unknown) {
    super(
      "weft_dependency_failed",
      `dependency ${dependency.name} ${dependency.id} did not succeed`,
      dependency.id,
      cause === undefined ? {} : { cause },
    );
  }
}

/** A dependency that nobody submitted. */
export class UnknownDependencyError extends TaskError {
  constructor(dependency: TaskId) {
    super(
      "weft_unknown_dependency",
      `dependency ${dependency} was not submitted by anybody within a minute`,
      dependency,
    );
  }
}

/** The task would wait for itself. */
export class CycleError extends TaskError {
  readonly path: readonly TaskId[];
  constructor(path: readonly TaskId[]) {
    const first = path[0] ?? ("" as TaskId);
    super("weft_cycle", `the dependencies form a cycle: ${path.join(" -> ")}`, first);
    this.path = path;
  }
}

/** The parent that submitted this child is no longer at the attempt that did. */
export class ParentGoneError extends TaskError {
  constructor(parent: TaskId, attempt: number) {
    super("weft_parent_gone", `parent ${parent} is no longer at attempt ${attempt}`, parent);
  }
}

/** Worker after worker was lost while it ran the task. */
export class WorkersLostError extends TaskError {
  readonly losses: readonly WorkerLoss[];
  constructor(taskId: TaskId, losses: readonly WorkerLoss[]) {
    const told = losses.map(({ worker, atMs }) => `${worker} at ${momentText(atMs)}`);
    super(
      "weft_workers_lost",
      `${losses.length} workers were lost while they ran it (${told.join(", ")}): it may be what kills them`,
      taskId,
    );
    this.losses = losses;
  }
}

/** The task ended longer ago than results are kept: what was known of it is gone. */
export class ResultExpiredError extends TaskError {
  constructor(task: TaskId) {
    super(
      "weft_result_expired",
      `task ${task} is not kept any more: it ended longer ago than results are kept (24 hours by default, less where there are very many)`,
      task,
    );
  }
}

/** The log has no room for new tasks: half of it is needed for those that it has, and for results that are kept. */
export class LogFullError extends TaskError {
  constructor(task: TaskId) {
    super(
      "weft_log_full",
      "half of the log is needed for tasks that are not over and for results that are kept: submit it again later",
      task,
      { retryable: true },
    );
  }
}

/** An id that the cluster does not know. */
export class UnknownTaskError extends TaskError {
  constructor(taskId: TaskId) {
    super("weft_unknown_task", `nobody has submitted task ${taskId}`, taskId);
  }
}
