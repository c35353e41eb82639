/**
 * Appends control records one at a time, each after the one before was folded, all with the last control sequence that
 * was folded as expectation. No append error says who leads: only the fold does, so an unknown outcome is simply tried
 * again until the record, or another leader's, comes back through the log.
 *
 * A record keeps its number however often it is sent, so that it is known again whichever of its copies was stored.
 */
import { headers } from "@nats-io/transport-node";
import {
  type ControlEvent,
  type ControlRecord,
  type ControlSecret,
  encodeRecord,
  type Subjects,
} from "@weft/protocol";
import { type Connection, NO_ROOM, readAck, within } from "@weft/transport";

export type ControlWriterOptions = {
  readonly connection: Connection;
  readonly subjects: Subjects;
  readonly secret: ControlSecret;
  /** The last control sequence that was folded. */
  readonly lastControlSeq: () => number;
  /** The rules by which the log is folded where this record stands. */
  readonly foldVersion: () => number;
  /** The log has no room for the record: makes some. */
  readonly onFull: () => Promise<void>;
};

const APPEND_TIMEOUT_MS = 1_000;
const RETRY_MS = 100;
const FULL_RETRY_MS = 1;

type Pending = { readonly number: number; readonly done: () => void };

export class ControlWriter {
  private readonly options: ControlWriterOptions;
  private number = 0;
  private pending: Pending | null = null;

  constructor(options: ControlWriterOptions) {
    this.options = options;
  }

  /** Tells of every control record that was folded. */
  folded(record: ControlRecord): void {
    const { pending } = this;
    if (pending === null || record.number !== pending.number) return;
    if (record.instance === this.options.connection.instance) pending.done();
  }

  /**
   * One try: true once the record was folded, false where the server refused it or did not answer in time. After false
   * the record may still arrive; it is then folded or void like any other.
   */
  tryAppend(epoch: number, event: ControlEvent): Promise<boolean> {
    let tries = 0;
    return this.append(epoch, event, () => tries++ === 0);
  }

  /** Appends until the record is folded or `current` says that it no longer matters. */
  async append(epoch: number, event: ControlEvent, current: () => boolean): Promise<boolean> {
    const { clock } = this.options.connection;
    const number = ++this.number;
    let isFolded = false;
    const folded = new Promise<true>((resolve) => {
      const done = (): void => {
        isFolded = true;
        resolve(true);
      };
      this.pending = { number, done };
    });
    try {
      while (!isFolded && current()) {
        const waitMs = await Promise.race([this.publish(number, epoch, event), folded.then(() => 0)]);
        await within(clock, waitMs, folded);
      }
      return isFolded;
    } finally {
      if (this.pending?.number === number) this.pending = null;
    }
  }

  /** Answers how long to wait before the next try. */
  private async publish(number: number, epoch: number, event: ControlEvent): Promise<number> {
    const { connection, subjects, secret } = this.options;
    const { nats, instance, clock } = connection;
    const guard = headers();
    guard.set("Nats-Expected-Last-Subject-Sequence", String(this.options.lastControlSeq()));
    const data = encodeRecord({
      type: "control",
      instance,
      number,
      epoch,
      wallMs: clock.wallMs(),
      foldVersion: this.options.foldVersion(),
      event,
    });
    try {
      const subject = subjects.control(0, secret);
      const reply = await nats.request(subject, data, { timeout: APPEND_TIMEOUT_MS, headers: guard });
      const ack = readAck(reply.data, subjects.stream(0));
      // Whoever else waits for room fills it as well: the record is sent again before they try.
      if (ack.ok) return APPEND_TIMEOUT_MS;
      if (ack.error.code !== NO_ROOM) return RETRY_MS;
      await this.options.onFull();
      return FULL_RETRY_MS;
    } catch {
      // No answer in time or no responders: whether it was stored is told by the fold alone.
      return RETRY_MS;
    }
  }
}
