/**
 * Runs code in worker threads, one attempt a thread at a time. A thread that dies, by its own exit or for lack of memory,
 * takes with it the attempt that it ran and nothing else.
 */
import { Worker } from "node:worker_threads";
import { failedWith } from "../run-attempt.ts";
import type { Executor } from "./executor.ts";
import { OutOfMemoryError, ThreadExitError } from "./exit-errors.ts";
import { readFromInside, type ToInside } from "./messages.ts";
import { Place, type PlaceOptions, placesExecutor } from "./place.ts";

class Thread extends Place {
  private readonly worker: Worker;
  private failure: Error | null = null;

  constructor(options: PlaceOptions) {
    super(options);
    const { memoryMb } = options;
    // The file beside this one, as source in the repository and compiled when published.
    const main = new URL(`./thread-main${import.meta.url.endsWith(".ts") ? ".ts" : ".js"}`, import.meta.url);
    this.worker = new Worker(
      main,
      memoryMb === null ? {} : { resourceLimits: { maxOldGenerationSizeMb: memoryMb } },
    );
    this.worker.on("message", (given: unknown) => {
      const message = readFromInside(given);
      if (message !== null) this.deliver(message);
    });
    this.worker.on("error", (error: unknown) => {
      this.failure = error instanceof Error ? error : new Error(String(error));
    });
    this.worker.on("exit", (code) => this.gone(() => failedWith(this.whyGone(code))));
  }

  async end(): Promise<void> {
    await this.worker.terminate();
  }

  protected send(message: ToInside): void {
    this.worker.postMessage(message.type === "run" ? { ...message, input: aloneIn(message.input) } : message);
  }

  private whyGone(code: number): Error {
    const { failure } = this;
    if (failure === null) return new ThreadExitError(code);
    const outOfMemory = "code" in failure && failure.code === "ERR_WORKER_OUT_OF_MEMORY";
    return outOfMemory ? new OutOfMemoryError(this.memoryMb) : failure;
  }
}

type RunInput = Extract<ToInside, { type: "run" }>["input"];

function aloneIn(input: RunInput): RunInput {
  const deps = input.deps.map((dep) => (dep === null ? null : alone(dep)));
  return { ...input, args: alone(input.args), deps };
}

/** Bytes in a buffer of their own: with a view, a thread is sent all of the message that it looks into. */
function alone(bytes: Uint8Array): Uint8Array {
  return bytes.length === bytes.buffer.byteLength ? bytes : Uint8Array.from(bytes);
}

export function threadExecutor(keptMax: number): Executor {
  return placesExecutor({ keptMax, make: (options) => new Thread(options) });
}
