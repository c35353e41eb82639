/**
 * Appends control records one at a time, each after the one before was folded, all with the last control sequence that
 * was folded as expectation. No append error says who leads: only the fold does, so an unknown outcome is simply tried
 * again until the record, or another leader's, comes back through the log.
 *
 * A record keeps its number however often it is sent, so that it is known again whichever of its copies was stored.
 *
 * A tick asks for no acknowledgement at first: it comes back through the log as soon, and of all that an idle leader
 * does that is half.
 */
import { headers, type MsgHdrs } from "@nats-io/transport-node";
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
  /** A tick that has not come back by then is sent again, and this time an answer is asked for. */
  readonly tickTimeoutMs: () => number;
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
    let isAsking = event.type !== "tick";
    try {
      while (!isFolded && current()) {
        const record = this.encode(number, epoch, event);
        const waitMs = isAsking
          ? await Promise.race([this.request(record), folded.then(() => 0)])
          : this.publish(record);
        isAsking = true;
        // A timer that is cancelled at once wakes the process all the same.
        if (!isFolded) await within(clock, waitMs, folded);
      }
      return isFolded;
    } finally {
      if (this.pending?.number === number) this.pending = null;
    }
  }

  private encode(number: number, epoch: number, event: ControlEvent): Uint8Array {
    const { instance, clock } = this.options.connection;
    return encodeRecord({
      type: "control",
      instance,
      number,
      epoch,
      wallMs: clock.wallMs(),
      foldVersion: this.options.foldVersion(),
      event,
    });
  }

  private guard(): MsgHdrs {
    const guard = headers();
    guard.set("Nats-Expected-Last-Subject-Sequence", String(this.options.lastControlSeq()));
    return guard;
  }

  /** Answers how long to wait before the next try, as does `request`. */
  private publish(record: Uint8Array): number {
    const { connection, subjects, secret } = this.options;
    if (connection.nats.isClosed()) return RETRY_MS;
    connection.nats.publish(subjects.control(0, secret), record, { headers: this.guard() });
    return this.options.tickTimeoutMs();
  }

  private async request(record: Uint8Array): Promise<number> {
    const { connection, subjects, secret } = this.options;
    try {
      const reply = await connection.nats.request(subjects.control(0, secret), record, {
        timeout: APPEND_TIMEOUT_MS,
        headers: this.guard(),
      });
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
