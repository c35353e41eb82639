/** What a handle rejects with: the outcome of a task, told as an error. */

import { WeftError, type WeftErrorOptions } from "./errors.ts";
import type { TaskId } from "./ids.ts";

export type TaskRef = { readonly id: TaskId; readonly name: string };

/** Common to every error that tells the outcome of one task. */
export class TaskError extends WeftError {
  readonly taskId: TaskId;
  constructor(code: string, message: string, taskId: TaskId, options: WeftErrorOptions = {}) {
    super(code, message, options);
    this.taskId = taskId;
  }
}

/** The task's code threw, or one of its dependencies failed; `cause` is what happened. */
export class TaskFailedError extends TaskError {
  readonly attempt: number;
  constructor(task: TaskRef, attempt: number, cause: unknown) {
    const why = cause instanceof Error ? `${cause.name}: ${cause.message}` : String(cause);
    super("weft_task_failed", `task ${task.name} ${task.id} failed: ${why}`, task.id, { cause });
    this.attempt = attempt;
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

/** The task ran out of time. */
export class TaskTimedOutError extends TaskError {
  constructor(task: TaskRef) {
    super("weft_task_timed_out", `task ${task.name} ${task.id} ran out of time`, task.id);
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

/** Every worker that ran the task was lost. */
export class WorkersLostError extends TaskError {
  constructor(taskId: TaskId, losses: number) {
    super(
      "weft_workers_lost",
      `${losses} workers were lost while they ran it: it may be what kills them`,
      taskId,
    );
  }
}

/** An id that the cluster does not know. */
export class UnknownTaskError extends TaskError {
  constructor(taskId: TaskId) {
    super("weft_unknown_task", `nobody has submitted task ${taskId}`, taskId);
  }
}
