/** One process of the cluster: a `weft` command that runs until it is stopped, and never longer than the demo. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";

/** How a part ended that nobody stopped, and the last that it logged. */
export type PartEnd = { readonly what: string; readonly log: string };

const WEFT = fileURLToPath(new URL("../../../packages/cli/src/main.ts", import.meta.url));
const LOG_LENGTH_MAX = 8_000;
const LOG_LINES_TOLD_MAX = 10;
const STOP_GRACE_MS = 5_000;

export class Part {
  readonly name: string;
  /** Resolves if it ends although nobody called `stop`. */
  readonly ended: Promise<PartEnd>;
  private readonly child: ChildProcess;
  private readonly exited: Promise<void>;
  private log = "";
  private isStopping = false;

  /** `--with-parent`: it says when it is ready, and ends when this process does, however that is. */
  constructor(name: string, args: readonly string[]) {
    this.name = name;
    this.child = spawn(process.execPath, [WEFT, ...args, "--with-parent"], {
      stdio: ["ignore", "ignore", "pipe", "ipc"],
      // Ctrl-C is for the demo, which then stops its parts.
      detached: true,
    });
    this.child.stderr?.setEncoding("utf8").on("data", (text: string) => {
      this.log = (this.log + text).slice(-LOG_LENGTH_MAX);
    });
    const ended = Promise.withResolvers<PartEnd>();
    this.ended = ended.promise;
    this.exited = new Promise((resolve) => {
      const onEnd = (error: unknown): void => {
        if (!this.isStopping) ended.resolve(this.end(error));
        resolve();
      };
      this.child.once("close", onEnd).once("error", onEnd);
    });
  }

  get pid(): number | undefined {
    return this.child.pid;
  }

  /** Rejects if it ends before it is ready. */
  async untilReady(): Promise<void> {
    const failed = this.ended.then((end) => Promise.reject(errorOf(end)));
    await Promise.race([once(this.child, "message"), failed]);
  }

  kill(): void {
    this.child.kill("SIGKILL");
  }

  async stop(): Promise<void> {
    this.isStopping = true;
    this.child.kill("SIGTERM");
    const grace = setTimeout(() => this.kill(), STOP_GRACE_MS);
    await this.exited;
    clearTimeout(grace);
  }

  private end(error: unknown): PartEnd {
    const { pid, exitCode, signalCode } = this.child;
    if (pid === undefined) return { what: `${this.name} could not be started: ${error}`, log: "" };
    return { what: `${this.name} (process ${pid}) ${howEnded(exitCode, signalCode)}`, log: this.log };
  }
}

export function howEnded(code: number | null, signal: NodeJS.Signals | null): string {
  return signal === null ? `ended with code ${code}` : `was ended by ${signal}`;
}

export function errorOf({ what, log }: PartEnd): Error {
  return new Error([what, ...log.trim().split("\n").slice(-LOG_LINES_TOLD_MAX)].join("\n").trimEnd());
}
