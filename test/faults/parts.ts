/** The processes of a fault run. Each is started again after it was killed, as whatever runs them in production does. */
import { fileURLToPath } from "node:url";
import { startWeft, type WeftProcess } from "../fixtures/process.ts";

const TASKS = fileURLToPath(new URL("../fixtures/tasks.ts", import.meta.url));
const SLOTS = 8;

export class Part {
  readonly title: string;
  private readonly args: readonly string[];
  private process: WeftProcess;
  private stoppedUntilMs = 0;

  constructor(title: string, args: readonly string[], urls: readonly string[]) {
    this.title = title;
    this.args = [...args, "--url", urls.join(","), "--connect-timeout", "60s"];
    this.process = startWeft(this.args);
  }

  get pid(): number {
    return this.process.pid;
  }

  /** A worker's name in subjects, once it has said that it is ready. */
  get workerName(): string | null {
    return /worker (\S+) ready/.exec(this.process.output())?.[1] ?? null;
  }

  get isStopped(): boolean {
    return performance.now() < this.stoppedUntilMs;
  }

  printed(text: string): Promise<void> {
    return this.process.printed(text);
  }

  /** SIGKILL, and at once another in its place. */
  async replace(): Promise<void> {
    this.process.kill("SIGKILL");
    await this.process.exited;
    this.process = startWeft(this.args);
  }

  /** SIGSTOP, and SIGCONT after so long. */
  freeze(forMs: number): void {
    const { process } = this;
    process.kill("SIGSTOP");
    this.stoppedUntilMs = performance.now() + forMs;
    setTimeout(() => process.kill("SIGCONT"), forMs);
  }

  async end(): Promise<void> {
    this.process.kill("SIGKILL");
    await this.process.exited;
  }
}

export function coordinatorPart(index: number, urls: readonly string[]): Part {
  return new Part(`coordinator ${index}`, ["coordinator", "--create"], urls);
}

export function workerPart(index: number, urls: readonly string[]): Part {
  return new Part(`worker ${index}`, ["worker", TASKS, "--slots", String(SLOTS)], urls);
}
