/** Why code ended before its task did. Each arrives at the client as the cause of the task's failure. */
import { WeftError } from "@weft/protocol";

/** The thread that ran a task ended before the task did. */
export class ThreadExitError extends WeftError {
  constructor(code: number) {
    super(
      "weft_thread_exit",
      `the thread ended with code ${code} while the task ran in it (process.exit, or a native crash)`,
    );
  }
}

export type ProcessExit = {
  readonly exitCode: number | null;
  readonly signal: string | null;
  /** The last lines that it wrote to stderr. */
  readonly stderr: string;
  /** What the worker knows beyond that. */
  readonly note?: string;
};

/** The process that ran a task ended before the task did. */
export class ProcessExitError extends WeftError {
  readonly exitCode: number | null;
  readonly signal: string | null;
  readonly stderr: string;
  constructor({ exitCode, signal, stderr, note }: ProcessExit) {
    const how = signal === null ? `ended with code ${exitCode}` : `was ended by ${signal}`;
    const more = note === undefined ? "" : `: ${note}`;
    const wrote = stderr === "" ? "" : `; it last wrote:\n${stderr}`;
    super("weft_process_exit", `the process ${how} while the task ran in it${more}${wrote}`);
    this.exitCode = exitCode;
    this.signal = signal;
    this.stderr = stderr;
  }
}

/** The task's process could not be started. */
export class ProcessStartError extends WeftError {
  constructor(cause: unknown) {
    const why = cause instanceof Error ? cause.message : String(cause);
    super("weft_process_start", `no process could be started for the task: ${why}`, {
      cause,
      retryable: true,
    });
  }
}

/** The task needed more memory than its limit. */
export class OutOfMemoryError extends WeftError {
  readonly memoryMb: number | null;
  constructor(memoryMb: number | null) {
    const limit = memoryMb === null ? "Node's own heap limit" : `its limit of ${memoryMb} MiB`;
    super("weft_out_of_memory", `the task needed more memory than ${limit}`);
    this.memoryMb = memoryMb;
  }
}
