/**
 * Answers the leader's probes from a thread of its own, over a connection of its own: a worker whose code blocks the
 * event loop is blocked, not lost. The answer says since when the event loop has not turned, and what has begun there. The
 * same thread ends the process where inline code blocks it for longer than its task may run (block-limit.ts).
 */
import { Worker as Thread } from "node:worker_threads";
import type { NodeConnectionOptions } from "@nats-io/transport-node";
import type { AttemptRef } from "@weft/protocol";
import { systemClock, type Timer } from "@weft/transport";
import { type BegunEntry, type BegunMemory, BegunTable, begunMemory } from "./begun-table.ts";

export type LivenessOptions = {
  /** In the order in which they are tried: the one that the worker itself uses is the last. */
  readonly servers: readonly string[];
  readonly nats: NodeConnectionOptions;
  /** The subject of the probes. */
  readonly subject: string;
  /** What lines that the thread writes itself begin with. */
  readonly name: string;
  /** Attempts that run at once. */
  readonly slots: number;
  readonly log: (line: string) => void;
};

/** What the thread is given. */
export type LivenessData = Pick<LivenessOptions, "servers" | "nats" | "subject" | "name"> & {
  /** When the event loop turned last: `process.hrtime`, which all threads of a process share. */
  readonly turnedAtNs: BigInt64Array<SharedArrayBuffer>;
  readonly begun: BegunMemory;
};

/** Far less than the silence after which a worker is taken for blocked. */
const TURN_MS = 500;

export class Liveness {
  private readonly turnedAtNs = new BigInt64Array(new SharedArrayBuffer(8));
  private readonly begun: BegunTable;
  private readonly timer: Timer;
  private thread: Thread | null = null;

  constructor({ log, slots, servers, nats, subject, name }: LivenessOptions) {
    const memory = begunMemory(slots);
    this.begun = new BegunTable(memory);
    this.turn();
    this.timer = systemClock.every(TURN_MS, () => this.turn());
    const main = new URL(
      `./liveness-main${import.meta.url.endsWith(".ts") ? ".ts" : ".js"}`,
      import.meta.url,
    );
    const data: LivenessData = {
      servers,
      nats,
      subject,
      name,
      turnedAtNs: this.turnedAtNs,
      begun: memory,
    };
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

  /** The code of an attempt begins. */
  began(attempt: AttemptRef): BegunEntry {
    return this.begun.add(attempt);
  }

  async close(): Promise<void> {
    this.timer.cancel();
    await this.thread?.terminate();
  }

  private turn(): void {
    Atomics.store(this.turnedAtNs, 0, process.hrtime.bigint());
  }
}
