/**
 * One part of `weft dev` that runs as a process of its own, as it would in production: a coordinator or a worker. A part
 * that dies, for user code may do anything, is started again; one that keeps dying ends the whole.
 *
 * It does not outlive this process: see parent.ts. It is in a session of its own, so that Ctrl-C in a terminal reaches
 * `weft dev` only, which stops the parts in its order.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import { READY } from "../parent.ts";

export type PartOptions = {
  readonly title: string;
  /** The arguments of the weft command. */
  readonly args: readonly string[];
  /** Where its standard output goes: what tasks print. */
  readonly stdout: "inherit" | 2;
  readonly log: (line: string) => void;
};

/** A part that ended although nobody stopped it. What it had to say is on standard error already. */
export class PartEndedError extends Error {
  readonly exitCode: number;
  constructor(title: string, exitCode: number, how: string) {
    super(`the ${title} ${how}`);
    this.name = "PartEndedError";
    this.exitCode = exitCode;
  }
}

const RESTART_WAIT_MS = 500;
/** A part that lived this long has not died of its start. */
const SETTLED_MS = 10_000;
const QUICK_DEATHS_MAX = 5;
const STOP_GRACE_MS = 40_000;

const MAIN = fileURLToPath(
  new URL(`../main${import.meta.url.endsWith(".ts") ? ".ts" : ".js"}`, import.meta.url),
);

export class Part {
  /** Resolves with the reason once it is not started again. */
  readonly ended: Promise<PartEndedError>;
  private readonly options: PartOptions;
  private readonly gaveUp: PromiseWithResolvers<PartEndedError> = Promise.withResolvers<PartEndedError>();
  private readonly ready: PromiseWithResolvers<void> = Promise.withResolvers<void>();
  private child: ChildProcess | null = null;
  private exited: Promise<unknown> = Promise.resolve();
  private restartTimer: NodeJS.Timeout | null = null;
  private isStopping = false;
  private wasReady = false;
  private quickDeaths = 0;

  constructor(options: PartOptions) {
    this.options = options;
    this.ended = this.gaveUp.promise;
    this.launch();
  }

  get pid(): number | null {
    return this.child?.pid ?? null;
  }

  /** Rejects with `PartEndedError` where it ends before it was ready: then something is wrong that a restart does not mend. */
  async untilReady(): Promise<void> {
    const failed = this.ended.then((error) => {
      throw error;
    });
    await Promise.race([this.ready.promise, failed]);
  }

  async stop(): Promise<void> {
    this.isStopping = true;
    if (this.restartTimer !== null) clearTimeout(this.restartTimer);
    this.child?.kill("SIGTERM");
    const grace = setTimeout(() => this.kill(), STOP_GRACE_MS);
    await this.exited;
    clearTimeout(grace);
  }

  kill(): void {
    this.isStopping = true;
    this.child?.kill("SIGKILL");
  }

  private launch(): void {
    const { args, stdout } = this.options;
    const startedMs = performance.now();
    const child = spawn(process.execPath, [...process.execArgv, MAIN, ...args, "--with-parent"], {
      stdio: ["ignore", stdout, 2, "ipc"],
      detached: true,
    });
    this.child = child;
    child.on("message", (message) => {
      if (message !== READY) return;
      this.wasReady = true;
      this.ready.resolve();
    });
    this.exited = new Promise((resolve) => {
      child.once("exit", (code, signal) => {
        resolve(null);
        this.onEnd(
          code ?? 1,
          signal === null ? `ended with code ${code}` : `was ended by ${signal}`,
          startedMs,
        );
      });
      child.once("error", (error) => {
        resolve(null);
        if (child.pid === undefined) this.onEnd(1, `could not be started: ${error.message}`, startedMs);
      });
    });
  }

  private onEnd(code: number, how: string, startedMs: number): void {
    this.child = null;
    if (this.isStopping) return;
    const { title, log } = this.options;
    this.quickDeaths = performance.now() - startedMs < SETTLED_MS ? this.quickDeaths + 1 : 0;
    if (!this.wasReady || this.quickDeaths > QUICK_DEATHS_MAX) {
      this.gaveUp.resolve(new PartEndedError(title, code, how));
      return;
    }
    log(`the ${title} ${how}; it is started again`);
    this.restartTimer = setTimeout(() => this.launch(), RESTART_WAIT_MS);
  }
}
