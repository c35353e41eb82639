/**
 * Answers the leader's probes from a thread of its own, over a connection of its own: a worker whose code blocks the
 * event loop is blocked, not lost. The answer says since when the event loop has not turned, and what has begun there. The
 * same thread ends the process where inline code blocks it for longer than its task may run (block-limit.ts).
 */
import { Worker as Thread } from "node:worker_threads";
import type { NodeConnectionOptions } from "@nats-io/transport-node";
import type { AttemptRef } from "@weft/protocol";
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
  readonly turns: TurnsMemory;
  readonly begun: BegunMemory;
};

/**
 * When the event loop turned last, by `process.hrtime`, which all threads of a process share; and for how long it may rest since then, as it
 * turns more seldom while nothing runs.
 */
export type TurnsMemory = BigInt64Array<SharedArrayBuffer>;
export const TURNED_AT_NS = 0;
export const REST_NS = 1;

const NANOS_PER_MS = 1_000_000;

export class Liveness {
  private readonly turns: TurnsMemory = new BigInt64Array(new SharedArrayBuffer(16));
  private readonly begun: BegunTable;
  private thread: Thread | null = null;

  constructor({ log, slots, servers, nats, subject, name }: LivenessOptions) {
    const memory = begunMemory(slots);
    this.begun = new BegunTable(memory);
    this.turn();
    const main = new URL(
      `./liveness-main${import.meta.url.endsWith(".ts") ? ".ts" : ".js"}`,
      import.meta.url,
    );
    const data: LivenessData = {
      servers,
      nats,
      subject,
      name,
      turns: this.turns,
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
    await this.thread?.terminate();
  }

  /** The event loop turns. To be called far more often, beside the rest that is told, than it may stand still before it is taken for blocked. */
  turn(restMs = 0): void {
    Atomics.store(this.turns, REST_NS, BigInt(restMs * NANOS_PER_MS));
    Atomics.store(this.turns, TURNED_AT_NS, process.hrtime.bigint());
  }
}
