/**
 * Appends control records one at a time, each after the one before was folded, all with the last control sequence that
 * was folded as expectation. No append error says who leads: only the fold does, so an unknown outcome is simply tried
 * again until the record, or another leader's, comes back through the log.
 */
import { headers } from "@nats-io/transport-node";
import {
  type ControlEvent,
  type ControlRecord,
  type ControlSecret,
  encodeRecord,
  FOLD_VERSION,
  type Subjects,
} from "@weft/protocol";
import { type Connection, pause, readAck } from "@weft/transport";

export type ControlWriterOptions = {
  readonly connection: Connection;
  readonly subjects: Subjects;
  readonly secret: ControlSecret;
  /** The last control sequence that was folded. */
  readonly lastControlSeq: () => number;
};

const APPEND_TIMEOUT_MS = 1_000;
const RETRY_MS = 100;

type Waiting = { readonly number: number; readonly done: (folded: boolean) => void };

export class ControlWriter {
  private readonly options: ControlWriterOptions;
  private number = 0;
  private waiting: Waiting | null = null;

  constructor(options: ControlWriterOptions) {
    this.options = options;
  }

  /** Tells of every control record that was folded. */
  folded(record: ControlRecord): void {
    const { waiting } = this;
    if (
      waiting === null ||
      record.instance !== this.options.connection.instance ||
      record.number !== waiting.number
    )
      return;
    this.waiting = null;
    waiting.done(true);
  }

  /**
   * One try: true once the record was folded, false where the server refused it or did not answer in time. After false
   * the record may still arrive; it is then folded or void like any other.
   */
  async tryAppend(epoch: number, event: ControlEvent): Promise<boolean> {
    const number = ++this.number;
    const folded = new Promise<boolean>((done) => {
      this.waiting = { number, done };
    });
    const answer = await this.publish(number, epoch, event);
    if (answer) return this.within(folded, number);
    if (this.waiting?.number === number) this.waiting = null;
    return false;
  }

  /** Appends until the record is folded or `current` says that it no longer matters. */
  async append(epoch: number, event: ControlEvent, current: () => boolean): Promise<boolean> {
    while (current()) {
      if (await this.tryAppend(epoch, event)) return true;
      await pause(this.options.connection.clock, RETRY_MS);
    }
    return false;
  }

  private async within(folded: Promise<boolean>, number: number): Promise<boolean> {
    const late = this.options.connection.clock.after(APPEND_TIMEOUT_MS, () => {
      if (this.waiting?.number !== number) return;
      const { done } = this.waiting;
      this.waiting = null;
      done(false);
    });
    try {
      return await folded;
    } finally {
      late.cancel();
    }
  }

  private async publish(number: number, epoch: number, event: ControlEvent): Promise<boolean> {
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
      foldVersion: FOLD_VERSION,
      event,
    });
    try {
      const subject = subjects.control(0, secret);
      const reply = await nats.request(subject, data, { timeout: APPEND_TIMEOUT_MS, headers: guard });
      return readAck(reply.data, subjects.stream(0)).ok;
    } catch {
      // No answer in time or no responders: whether it was stored is told by the fold alone.
      return false;
    }
  }
}
