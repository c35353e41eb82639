/** Submits tasks and follows them. */

export {
  CycleError,
  DependencyFailedError,
  type Duration,
  EncodingError,
  LogFullError,
  ParentGoneError,
  PayloadTooLargeError,
  type Progress,
  ResultExpiredError,
  TaskCancelledError,
  TaskError,
  TaskFailedError,
  TaskRejectedError,
  type TaskState,
  TaskTimedOutError,
  type TimeLimit,
  TooManyPendingError,
  UnknownDependencyError,
  UnknownTaskError,
  UnreachableError,
  UsageError,
  ValueDamagedError,
  WeftError,
  type WorkerLoss,
  WorkersLostError,
} from "@weft/protocol";
export { Client, type ClientOptions, type CloseOptions, connect } from "./client.ts";
export {
  type AlsoStopped,
  type CancelAnswer,
  type CancelOptions,
  type Settlement,
  TaskHandle,
} from "./handle.ts";
export type { RetryOptions, SubmitOptions } from "./submit-options.ts";
export type { TaskCall, TypedTasks } from "./typed-tasks.ts";
