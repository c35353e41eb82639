/**
 * Runs code in processes of their own, one attempt a process at a time: for native code, and for code that may have to be
 * ended with everything that it has taken. A process that dies takes with it the attempt that it ran and nothing else, and
 * none outlives its worker (process-guard-main.ts).
 *
 * Each leads a process group, so that what the code has started ends with it, and so that a key pressed at a terminal
 * reaches the worker alone, which then drains.
 */
import { type ChildProcess, spawn } from "node:child_process";
import type { Duplex, Readable } from "node:stream";
import { fileURLToPath } from "node:url";
import type { TaskId } from "@weft/protocol";
import type { Clock } from "@weft/transport";
import { type AttemptEnd, failedWith } from "../run-attempt.ts";
import type { Executor } from "./executor.ts";
import { OutOfMemoryError, ProcessExitError, ProcessStartError } from "./exit-errors.ts";
import { FrameReader, framesToInside, messageOf } from "./frames.ts";
import { LastLines, LineReader } from "./lines.ts";
import type { FromInside, ToInside } from "./messages.ts";
import { Place, type PlaceOptions } from "./place.ts";
import { Places } from "./places.ts";
import { inheritedArguments, LIFELINE_FD, MESSAGES_FD, OUT_OF_MEMORY_WORD } from "./process-arguments.ts";

export type ProcessExecutorOptions = {
  /** How many are kept when nothing runs in them. */
  readonly keptMax: number;
  readonly clock: Clock;
  readonly log: (line: string) => void;
};

/** Of what a process wrote to stderr, as much as its failure tells. */
const STDERR_LENGTH_MAX = 1_000;
/** For what a process that has ended has written: something that it started may hold its pipes open. */
const LAST_WORDS_MS = 500;
const HEAP_EXHAUSTED = /JavaScript heap out of memory/;

class OwnProcess extends Place {
  private readonly own: ProcessExecutorOptions;
  private readonly child: ChildProcess;
  private readonly ended: Promise<void>;
  private readonly stderr = new LastLines(STDERR_LENGTH_MAX);
  private uncaught: Extract<FromInside, { type: "uncaught" }> | null = null;
  private outOfMemory = false;
  private heapExhausted = false;
  private note: string | undefined;
  /** Whose the lines are: those that a task wrote last may be read after its end, which comes by another pipe. */
  private lastRun: TaskId | null = null;

  constructor(options: PlaceOptions, own: ProcessExecutorOptions) {
    super(options);
    this.own = own;
    const { memoryMb } = options;
    // The file beside this one, as source in the repository and compiled when published.
    const main = new URL(`./process-main${import.meta.url.endsWith(".ts") ? ".ts" : ".js"}`, import.meta.url);
    const heap = memoryMb === null ? [] : [`--max-old-space-size=${memoryMb}`];
    const args = [...inheritedArguments(process.execArgv), ...heap, fileURLToPath(main), String(memoryMb)];
    try {
      this.child = spawn(process.execPath, args, {
        stdio: ["ignore", "pipe", "pipe", "pipe", "pipe"],
        detached: true,
      });
    } catch (error) {
      throw new ProcessStartError(error);
    }
    this.ended = this.watch(this.child);
    this.listen();
  }

  async end(): Promise<void> {
    this.kill();
    await this.ended;
  }

  protected send(message: ToInside): void {
    if (message.type === "run") {
      this.lastRun = message.input.id;
      this.stderr.clear();
      this.uncaught = null;
    }
    const pipe = this.pipe(MESSAGES_FD);
    // It has ended, or never began: that settles what it was to run.
    if (pipe === undefined || pipe.destroyed) return;
    pipe.cork();
    for (const frame of framesToInside(message)) pipe.write(frame);
    pipe.uncork();
  }

  private watch(child: ChildProcess): Promise<void> {
    return new Promise((resolve) => {
      const settle = (why: () => AttemptEnd): void => {
        this.gone(why);
        resolve();
      };
      child.once("error", (error) => {
        if (child.pid === undefined) settle(() => failedWith(new ProcessStartError(error)));
      });
      child.once("exit", (exitCode, signal) => {
        this.leave();
        // What it has started and left behind.
        this.kill();
        const late = this.own.clock.after(LAST_WORDS_MS, () => settle(() => this.whyGone(exitCode, signal)));
        child.once("close", () => {
          late.cancel();
          settle(() => this.whyGone(exitCode, signal));
        });
      });
    });
  }

  private listen(): void {
    const { child } = this;
    for (const stream of [child.stdout, child.stderr]) {
      const lines = new LineReader((line) => this.onLine(line, stream === child.stderr));
      stream?.on("data", (chunk: Uint8Array) => lines.read(chunk));
      stream?.on("end", () => lines.end());
    }
    const frames = new FrameReader();
    this.pipe(MESSAGES_FD)?.on("data", (chunk: Uint8Array) => {
      for (const frame of frames.read(chunk) ?? [null]) {
        const message = frame === null ? null : messageOf(frame);
        if (message === null) return this.onJunk();
        this.onMessage(message);
      }
    });
    this.pipe(LIFELINE_FD)?.on("data", (chunk: Uint8Array) => {
      if (Buffer.from(chunk).includes(OUT_OF_MEMORY_WORD)) this.outOfMemory = true;
    });
    // A pipe breaks when the process ends, which is told by its exit.
    for (const stream of child.stdio ?? []) stream?.on("error", () => undefined);
  }

  private pipe(fd: number): (Readable & Duplex) | undefined {
    return (this.child.stdio?.[fd] ?? undefined) as (Readable & Duplex) | undefined;
  }

  private onMessage(message: FromInside): void {
    if (message.type !== "uncaught") this.deliver(message);
    else if (this.isCurrent(message)) this.uncaught = message;
  }

  /** Nothing that comes after it can be trusted to be where it seems to be. */
  private onJunk(): void {
    this.pipe(MESSAGES_FD)?.destroy();
    this.note = `it wrote what is no message to file descriptor ${MESSAGES_FD}, which is the worker's`;
    this.kill();
  }

  private onLine(line: string, isStderr: boolean): void {
    const { lastRun, child } = this;
    if (isStderr) {
      this.stderr.add(line);
      // V8 tells it, and then a page of stack.
      if (HEAP_EXHAUSTED.test(line)) this.heapExhausted = true;
    }
    this.own.log(`${lastRun === null ? `process ${child.pid}` : `task ${lastRun}`} wrote: ${line}`);
  }

  private whyGone(exitCode: number | null, signal: string | null): AttemptEnd {
    const stderr = this.stderr.text;
    if (this.outOfMemory || (signal === "SIGABRT" && this.heapExhausted))
      return failedWith(new OutOfMemoryError(this.memoryMb));
    if (this.uncaught !== null) {
      const { value, failure } = this.uncaught;
      return { outcome: "failed", value, failure };
    }
    const { note } = this;
    return failedWith(
      new ProcessExitError({ exitCode, signal, stderr, ...(note === undefined ? {} : { note }) }),
    );
  }

  private kill(): void {
    const { pid } = this.child;
    if (pid === undefined) return;
    try {
      process.kill(-pid, "SIGKILL");
    } catch {
      // Its group is gone, or this system has none.
      this.child.kill("SIGKILL");
    }
  }
}

export function processExecutor(own: ProcessExecutorOptions): Executor {
  const { keptMax, clock } = own;
  return new Places({ keptMax, clock, make: (options) => new OwnProcess(options, own) });
}
