/**
 * When the log recorded the finish of each task: JetStream stamps every message with the server's wall clock, in
 * nanoseconds, just before it is stored. Read after a run, so that reading disturbs nothing.
 */
import { jetstream, jetstreamManager } from "@nats-io/jetstream";
import type { NatsConnection } from "@nats-io/transport-node";

export type FinishStampsOptions = {
  readonly nats: NatsConnection;
  readonly stream: string;
  /** The subject of finish records. */
  readonly subject: string;
  /** The tasks that a record is about. */
  readonly keysOf: (data: Uint8Array) => readonly string[];
};

const NANOS_PER_MICRO = 1_000n;
const MICROS_PER_MS = 1_000;

export class FinishStamps {
  private readonly options: FinishStampsOptions;
  private nextSeq = 1;

  constructor(options: FinishStampsOptions) {
    this.options = options;
  }

  /** The wall clock in milliseconds by task, of all finishes recorded since the last time. */
  async take(): Promise<ReadonlyMap<string, number>> {
    const { nats, stream, subject, keysOf } = this.options;
    const stamps = new Map<string, number>();
    const consumer = await jetstream(nats).consumers.get(stream, {
      filter_subjects: [subject],
      opt_start_seq: this.nextSeq,
    });
    const { state } = await (await jetstreamManager(nats)).streams.info(stream);
    this.nextSeq = state.last_seq + 1;
    for (let left = (await consumer.info()).num_pending; left > 0; ) {
      for await (const message of await consumer.fetch({ max_messages: left })) {
        left--;
        const stampMs = Number(BigInt(message.info.timestampNanos) / NANOS_PER_MICRO) / MICROS_PER_MS;
        for (const key of keysOf(message.data)) if (!stamps.has(key)) stamps.set(key, stampMs);
      }
    }
    return stamps;
  }
}
