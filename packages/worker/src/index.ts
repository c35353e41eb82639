/** Defines and runs tasks. */
export { currentTask, type LogLevel, reportProgress, type TaskContext, type TaskLog } from "./context.ts";
export { defineTask, type TaskDefinition, type TaskHandler, type TaskOptions } from "./define-task.ts";
export { NonRetryableError, RetryAfterError, type RetryAfterErrorOptions } from "./retry-errors.ts";
export { type StopOptions, Worker, type WorkerOptions } from "./worker.ts";
