/** Submits tasks and follows them. */

export {
  CycleError,
  DependencyFailedError,
  EncodingError,
  PayloadTooLargeError,
  type Progress,
  TaskCancelledError,
  TaskError,
  TaskFailedError,
  TaskRejectedError,
  type TaskState,
  TaskTimedOutError,
  UnknownDependencyError,
  UnknownTaskError,
  UnreachableError,
  UsageError,
  WeftError,
  WorkersLostError,
} from "@weft/protocol";
export { Client, type ClientOptions, type CloseOptions, connect } from "./client.ts";
export { type CancelAnswer, type Settlement, TaskHandle } from "./handle.ts";
export type { SubmitOptions } from "./submission.ts";
export type { TaskCall, TypedTasks } from "./typed-tasks.ts";
