/**
 * Runs code in worker threads, one attempt a thread at a time. Threads are made when they are needed and kept; one that
 * dies, by its own exit or for lack of memory, takes with it the attempt that it ran and nothing else.
 */
import { Worker } from "node:worker_threads";
import { ClosedError, WeftError } from "@weft/protocol";
import type { TaskOutlet } from "../context.ts";
import { type AttemptEnd, type AttemptInput, failedWith } from "../run-attempt.ts";
import type { RegisteredTask } from "../task-registry.ts";
import type { Executor, Run } from "./executor.ts";
import type { FromThread, ToThread } from "./thread-messages.ts";

/** The thread that ran a task ended before the task did. */
class ThreadExitError extends WeftError {
  constructor(code: number) {
    super(
      "weft_thread_exit",
      `the thread ended with code ${code} while the task ran in it (process.exit, or a native crash)`,
    );
  }
}

/** The task needed more memory than its limit. */
class OutOfMemoryError extends WeftError {
  constructor(memoryMb: number | null) {
    const limit = memoryMb === null ? "the heap limit of its thread" : `its limit of ${memoryMb} MiB`;
    super("weft_out_of_memory", `the task needed more memory than ${limit}`);
  }
}

type Job = {
  readonly number: number;
  readonly outlet: TaskOutlet;
  readonly ended: (end: AttemptEnd) => void;
};

class Thread {
  readonly memoryMb: number | null;
  private readonly worker: Worker;
  private readonly onGone: (thread: Thread) => void;
  private readonly onFree: (thread: Thread) => void;
  private job: Job | null = null;
  private jobs = 0;
  private failure: Error | null = null;

  constructor(memoryMb: number | null, onFree: (thread: Thread) => void, onGone: (thread: Thread) => void) {
    this.memoryMb = memoryMb;
    this.onFree = onFree;
    this.onGone = onGone;
    // The file beside this one, as source in the repository and compiled when published.
    const main = new URL(`./thread-main${import.meta.url.endsWith(".ts") ? ".ts" : ".js"}`, import.meta.url);
    this.worker = new Worker(
      main,
      memoryMb === null ? {} : { resourceLimits: { maxOldGenerationSizeMb: memoryMb } },
    );
    this.worker.on("message", (message: FromThread) => this.onMessage(message));
    this.worker.on("error", (error: unknown) => {
      this.failure = error instanceof Error ? error : new Error(String(error));
    });
    this.worker.on("exit", (code) => this.onExit(code));
  }

  run(task: RegisteredTask, input: AttemptInput, outlet: TaskOutlet): Run {
    const job = ++this.jobs;
    const end = new Promise<AttemptEnd>((ended) => {
      this.job = { number: job, outlet, ended };
    });
    const args = alone(input.args);
    const deps = input.deps.map((dep) => (dep === null ? null : alone(dep)));
    this.send({ type: "run", job, moduleUrl: task.moduleUrl ?? "", input: { ...input, args, deps } });
    return {
      end,
      cancel: (reason) => this.send({ type: "cancel", job, reason }),
      terminate: () => this.terminateJob(job),
    };
  }

  async terminate(): Promise<void> {
    await this.worker.terminate();
  }

  private terminateJob(number: number): boolean {
    const { job } = this;
    if (job === null || job.number !== number) return true;
    this.job = null;
    this.terminate().then(
      () => job.ended({ outcome: "terminated", value: null }),
      (error: unknown) => job.ended(failedWith(error)),
    );
    return true;
  }

  private send(message: ToThread): void {
    this.worker.postMessage(message);
  }

  private onMessage(message: FromThread): void {
    const { job } = this;
    // The thread's port is open to the user's code: what comes from there may be anything.
    if (job === null || job.number !== message?.job) return;
    if (message.type === "progress") job.outlet.progress(message.fraction, message.message, message.data);
    else if (message.type === "log") job.outlet.log(message.level, message.message, message.data);
    else if (message.type === "ended") {
      const { progress, end } = message;
      if (progress !== null) job.outlet.progress(progress.fraction, progress.message, progress.data);
      this.job = null;
      this.onFree(this);
      job.ended(end);
    }
  }

  private onExit(code: number): void {
    this.onGone(this);
    const { job, failure } = this;
    this.job = null;
    if (job === null) return;
    const outOfMemory = failure !== null && "code" in failure && failure.code === "ERR_WORKER_OUT_OF_MEMORY";
    job.ended(
      failedWith(outOfMemory ? new OutOfMemoryError(this.memoryMb) : (failure ?? new ThreadExitError(code))),
    );
  }
}

/** A thread that was made after the close would never end. */
const ENDED: Run = {
  end: Promise.resolve(failedWith(new ClosedError("the worker"))),
  cancel: () => undefined,
  terminate: () => true,
};

/** Bytes in a buffer of their own: with a view, a thread is sent all of the message that it looks into. */
function alone(bytes: Uint8Array): Uint8Array {
  return bytes.length === bytes.buffer.byteLength ? bytes : Uint8Array.from(bytes);
}

export function threadExecutor(): Executor {
  const threads = new Set<Thread>();
  const free: Thread[] = [];
  let closed = false;

  const take = (memoryMb: number | null): Thread => {
    const at = free.findLastIndex((thread) => thread.memoryMb === memoryMb);
    const kept = at < 0 ? undefined : free.splice(at, 1)[0];
    if (kept !== undefined) return kept;
    const made = new Thread(
      memoryMb,
      (thread) => {
        if (!closed) free.push(thread);
      },
      (thread) => {
        threads.delete(thread);
        const place = free.indexOf(thread);
        if (place >= 0) free.splice(place, 1);
      },
    );
    threads.add(made);
    return made;
  };

  return {
    run(task, input, outlet) {
      if (closed) return ENDED;
      return take(task.definition.options.memoryMb).run(task, input, outlet);
    },
    async close() {
      closed = true;
      await Promise.all([...threads].map((thread) => thread.terminate()));
    },
  };
}
