/** Submits tasks and follows them. */
export { Client, type ClientOptions, type CloseOptions, connect } from "./client.ts";
export { type CancelAnswer, type Settlement, TaskHandle } from "./handle.ts";
export type { SubmitOptions } from "./submission.ts";
export type { TaskCall, TypedTasks } from "./typed-tasks.ts";
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
  TaskTimedOutError,
  type TaskState,
  UnknownDependencyError,
  UnknownTaskError,
  UnreachableError,
  UsageError,
  WeftError,
  WorkersLostError,
} from "@weft/protocol";
