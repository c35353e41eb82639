/** A process of a run, as the bench sees it. */
import { type ChildProcess, fork } from "node:child_process";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";
import { CLOCK, type Contract, CPU, type FromChild, STOP } from "./child-contract.ts";
import { monotonicMs } from "./clock.ts";

export type ChildOptions = {
  /** The file to run. */
  readonly entry: URL;
  readonly args: readonly string[];
  /** Where to write a CPU profile of the process; null for none. */
  readonly profileFolder: string | null;
};

type Waiting = { readonly resolve: (answer: unknown) => void; readonly reject: (error: Error) => void };

const STOP_TIMEOUT_MS = 5_000;

export class Child<Answers extends Contract> {
  readonly name: string;
  private readonly process: ChildProcess;
  private readonly waiting = new Map<number, Waiting>();
  private readonly ready: PromiseWithResolvers<void> = Promise.withResolvers<void>();
  private readonly exited: PromiseWithResolvers<void> = Promise.withResolvers<void>();
  private asked = 0;
  private ended: Error | null = null;

  /** Starts the process and resolves when it takes questions. */
  static async start<Answers extends Contract>(options: ChildOptions): Promise<Child<Answers>> {
    const child = new Child<Answers>(options);
    try {
      await child.ready.promise;
      await child.assertSameClock();
    } catch (error) {
      await child.stop();
      throw error;
    }
    return child;
  }

  private constructor({ entry, args, profileFolder }: ChildOptions) {
    const path = fileURLToPath(entry);
    this.name = basename(path, ".ts");
    this.process = fork(path, args, {
      execArgv: profileFolder === null ? [] : profiling(profileFolder, this.name),
      // What it prints goes to standard error: standard output is for the figures.
      stdio: ["ignore", 2, 2, "ipc"],
    });
    this.process.on("message", (message: FromChild) => this.onMessage(message));
    this.process.on("error", (error) => this.end(error));
    this.process.on("exit", (code, signal) => {
      this.exited.resolve();
      this.end(new Error(`the process ${this.name} ended with ${signal ?? `code ${code}`}`));
    });
  }

  /** Rejects when the process fails to answer or ends first. */
  async ask<Name extends keyof Answers & string>(
    name: Name,
    ...[argument]: Parameters<Answers[Name]>
  ): Promise<Awaited<ReturnType<Answers[Name]>>> {
    return (await this.request(name, argument)) as Awaited<ReturnType<Answers[Name]>>;
  }

  /** Microseconds of the processor that it used so far, with all its threads. */
  async cpuUs(): Promise<number> {
    return Number(await this.request(CPU, null));
  }

  /** Ends it at once, whatever it does, and resolves when it is gone. */
  async kill(): Promise<void> {
    this.process.kill("SIGKILL");
    await this.exited.promise;
  }

  /** Lets it close what it has open; kills it where that takes too long. */
  async stop(): Promise<void> {
    const killer = setTimeout(() => this.process.kill("SIGKILL"), STOP_TIMEOUT_MS);
    if (this.ended === null) await this.request(STOP, null).catch(() => this.process.kill("SIGKILL"));
    await this.exited.promise;
    clearTimeout(killer);
  }

  /** A reading in the other process, asked for and answered, lies between two readings here if both are of one clock. */
  private async assertSameClock(): Promise<void> {
    const beforeMs = monotonicMs();
    const thereMs = Number(await this.request(CLOCK, null));
    if (thereMs >= beforeMs && thereMs <= monotonicMs()) return;
    throw new Error(
      `the process ${this.name} has another monotonic clock: times taken in it cannot be compared`,
    );
  }

  private request(name: string, argument: unknown): Promise<unknown> {
    if (this.ended !== null) return Promise.reject(this.ended);
    const number = ++this.asked;
    return new Promise((resolve, reject) => {
      this.waiting.set(number, { resolve, reject });
      this.process.send({ number, name, argument });
    });
  }

  private onMessage(message: FromChild): void {
    if (message.type === "ready") return this.ready.resolve();
    const waiting = this.waiting.get(message.number);
    this.waiting.delete(message.number);
    if (message.type === "answer") waiting?.resolve(message.answer);
    else waiting?.reject(new Error(`the process ${this.name} failed: ${message.message}`));
  }

  private end(error: Error): void {
    this.ended ??= error;
    this.ready.reject(error);
    for (const { reject } of this.waiting.values()) reject(error);
    this.waiting.clear();
    if (this.process.pid === undefined) this.exited.resolve();
  }
}

function profiling(folder: string, name: string): string[] {
  // A folder each: every thread of a process writes one.
  return ["--cpu-prof", `--cpu-prof-dir=${join(folder, name)}`];
}
