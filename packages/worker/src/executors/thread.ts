/**
 * Runs code in worker threads, one attempt a thread at a time. A thread that dies, by its own exit or for lack of memory,
 * takes with it the attempt that it ran and nothing else.
 */
import { Worker } from "node:worker_threads";
import type { Clock } from "@weft/transport";
import { failedWith } from "../run-attempt.ts";
import type { Executor } from "./executor.ts";
import { OutOfMemoryError, ThreadExitError } from "./exit-errors.ts";
import { HeapWatch, heapLimits } from "./heap-watch.ts";
import type { Job } from "./job.ts";
import { type FromInside, readFromInside, type ToInside } from "./messages.ts";
import { ownBytes } from "./own-bytes.ts";
import { Place, type PlaceOptions } from "./place.ts";
import { Places } from "./places.ts";
import { ticketMemory } from "./ticket.ts";

class Thread extends Place {
  private readonly worker: Worker;
  private readonly heapWatch: HeapWatch;
  private failure: Error | null = null;
  private outOfMemory = false;

  constructor(options: PlaceOptions) {
    const ticket = ticketMemory();
    super(options, ticket);
    const limits = heapLimits(options.memoryMb);
    // The file beside this one, as source in the repository and compiled when published.
    const main = new URL(`./thread-main${import.meta.url.endsWith(".ts") ? ".ts" : ".js"}`, import.meta.url);
    const worker = new Worker(main, {
      workerData: ticket,
      resourceLimits: { maxOldGenerationSizeMb: limits.oldGenerationMb },
    });
    this.worker = worker;
    this.heapWatch = new HeapWatch({
      clock: options.clock,
      limits,
      measure: () => worker.getHeapStatistics(),
      onFull: () => this.full(),
    });
    this.worker.on("message", (given: unknown) => {
      const message = readFromInside(given);
      if (message !== null) this.deliver(message);
    });
    this.worker.on("error", (error: unknown) => {
      this.failure = error instanceof Error ? error : new Error(String(error));
    });
    this.worker.on("exit", (code) => {
      this.heapWatch.close();
      this.gone(() => failedWith(this.whyGone(code)));
    });
  }

  async end(): Promise<void> {
    await this.worker.terminate();
  }

  protected send(message: ToInside): void {
    this.worker.postMessage(message.type === "run" ? { ...message, input: aloneIn(message.input) } : message);
  }

  protected override deliver(message: FromInside): void {
    super.deliver(message);
    if (this.running === null) this.heapWatch.stop();
  }

  protected override begins(job: Job): void {
    this.heapWatch.start();
    super.begins(job);
  }

  private full(): void {
    // What filled it has ended; the next one is watched as it begins.
    if (!this.isEndOfOne()) return;
    this.outOfMemory = true;
    this.leave();
    this.end().catch((error: unknown) => this.gone(() => failedWith(error)));
  }

  private whyGone(code: number): Error {
    const { failure } = this;
    const outOfMemory = failure !== null && "code" in failure && failure.code === "ERR_WORKER_OUT_OF_MEMORY";
    if (this.outOfMemory || outOfMemory) return new OutOfMemoryError(this.memoryMb);
    return failure ?? new ThreadExitError(code);
  }
}

type RunInput = Extract<ToInside, { type: "run" }>["input"];

function aloneIn(input: RunInput): RunInput {
  const deps = input.deps.map((dep) => (dep === null ? null : ownBytes(dep)));
  return { ...input, args: ownBytes(input.args), deps };
}

export type ThreadExecutorOptions = {
  /** How many are kept when nothing runs in them. */
  readonly keptMax: number;
  readonly clock: Clock;
};

export function threadExecutor({ keptMax, clock }: ThreadExecutorOptions): Executor {
  const places = new Places({ keptMax, clock, make: (options) => new Thread(options) });
  return { run: places.run, close: places.close, ahead: places };
}
