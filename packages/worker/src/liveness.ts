/**
 * Answers the leader's probes from a thread of its own, over a connection of its own: a worker whose code blocks the
 * event loop is blocked, not lost. The answer says since when the event loop has not turned.
 */
import { Worker as Thread } from "node:worker_threads";
import type { NodeConnectionOptions } from "@nats-io/transport-node";

export type LivenessOptions = {
  readonly servers: readonly string[];
  readonly nats: NodeConnectionOptions;
  /** The subject of the probes. */
  readonly subject: string;
  readonly log: (line: string) => void;
};

/** What the thread is given. */
export type LivenessData = Omit<LivenessOptions, "log"> & {
  /** When the event loop turned last: `process.hrtime`, which all threads of a process share. */
  readonly turnedAtNs: BigInt64Array<SharedArrayBuffer>;
};

const TURN_MS = 100;

export class Liveness {
  private readonly turnedAtNs = new BigInt64Array(new SharedArrayBuffer(8));
  private readonly timer: NodeJS.Timeout;
  private thread: Thread | null = null;

  constructor({ log, ...options }: LivenessOptions) {
    this.turn();
    this.timer = setInterval(() => this.turn(), TURN_MS);
    const main = new URL(
      `./liveness-main${import.meta.url.endsWith(".ts") ? ".ts" : ".js"}`,
      import.meta.url,
    );
    const data: LivenessData = { ...options, turnedAtNs: this.turnedAtNs };
    try {
      this.thread = new Thread(main, { workerData: data });
    } catch (error) {
      // Functions, such as an authenticator, cannot be handed to a thread.
      log(
        `probes are answered from the main thread alone, for the nats options cannot be shared: ${String(error)}`,
      );
      return;
    }
    // It holds nothing: the worker goes on without it.
    this.thread.on("error", (error) => log(`the thread that answers probes has ended: ${String(error)}`));
    this.thread.unref();
  }

  async close(): Promise<void> {
    clearInterval(this.timer);
    await this.thread?.terminate();
  }

  private turn(): void {
    Atomics.store(this.turnedAtNs, 0, process.hrtime.bigint());
  }
}
