/**
 * Reads the log in order through one push consumer with flow control and without acknowledgements.
 *
 * R1 Records are handed on with consecutive sequences, each once. At a gap the consumer is made anew behind the last
 *    record; a gap that remains is a hole in the log and stops the reader.
 * R2 Two missed heartbeats, or a reconnect, make the consumer anew: the server cuts a push consumer without a word.
 * R3 Whenever the consumer is made, the last record is still in the stream as it was: a stream that lost its tail goes on
 *    with other records under the same sequences.
 */
import { inboxPrefix, LogGapError, LogTailLostError } from "@weft/protocol";
import {
  type BusMessage,
  type BusSubscription,
  type Connection,
  type Pace,
  pause,
  type Stream,
  type Timer,
} from "@weft/transport";
import { Gate } from "./gate.ts";
import { digestOf, LOG_BEGINNING, type LogPoint, standingOf } from "./log-point.ts";

export type RawRecord = {
  readonly seq: number;
  readonly stampMs: number;
  readonly subject: string;
  readonly data: Uint8Array;
};

export type LogReaderOptions = {
  readonly connection: Connection;
  readonly stream: Stream;
  readonly onRecord: (record: RawRecord) => void;
  /**
   * After the last record is handed on that the log held when the consumer was made; again after each time that it was made
   * anew. Not at the end of the log as it is then: under load there is always one more.
   */
  readonly onCaughtUp: () => void;
  /** When it looks whether the server has gone silent. @default twice a second */
  readonly pace?: Pick<Pace, "onBeat">;
  /** The log has had nothing to deliver for as long as a tick takes where nothing lives. The server tells that, so that no timer is needed here. */
  readonly onQuiet?: () => void;
  /** The reader cannot go on. */
  readonly onFailed: (error: Error) => void;
};

/** A tick of a leader that has nothing to do, and its way through the log. */
export const HEARTBEAT_MS = 1_100;
const SILENCE_MAX_MS = 2 * HEARTBEAT_MS + 300;
const WATCH_MS = 500;
const RETRY_MS = 200;
/** A stream that has just changed its leader is asked again before it is believed to have lost something. */
const DOUBT_MS = 1_000;

export class LogReader {
  private readonly options: LogReaderOptions;
  private subscription: BusSubscription | null = null;
  private lastHeardMs = 0;
  private lastSeq = 0;
  private last: LogPoint | RawRecord = LOG_BEGINNING;
  private caughtUp = false;
  /** The last record that the log held when the consumer was made. */
  private targetSeq = Number.POSITIVE_INFINITY;
  private gapAt = 0;
  private opening = false;
  private closed = false;
  private watcher: Timer | null = null;
  private readonly gate: Gate<BusMessage>;

  constructor(options: LogReaderOptions) {
    this.options = options;
    this.gate = new Gate((message) => this.take(message));
  }

  /** The last record that was handed on, or where it started. */
  get seq(): number {
    return this.lastSeq;
  }

  get point(): LogPoint {
    const { last } = this;
    return "digest" in last ? last : { seq: last.seq, digest: digestOf(last) };
  }

  /** Starts behind a point. */
  async start(point: LogPoint): Promise<void> {
    this.last = point;
    this.lastSeq = point.seq;
    try {
      await this.open();
    } catch (error) {
      // A stream without a leader is one to come back to; what is a hole in the log stays one.
      if (isFinal(error)) throw error;
      this.retry(error);
    }
    const watch = (): void => this.watch();
    const { pace, connection } = this.options;
    this.watcher = pace?.onBeat(watch) ?? connection.clock.every(WATCH_MS, watch);
  }

  /**
   * Hands nothing on until what it answers is called. What comes meanwhile waits here, and the server sends no more than it
   * sends without an answer to its flow control.
   */
  hold(): () => void {
    return this.gate.shut();
  }

  close(): void {
    this.closed = true;
    this.gate.clear();
    this.watcher?.cancel();
    this.subscription?.unsubscribe();
  }

  /** Makes the consumer anew behind the last record: after a reconnect. */
  reopen(): void {
    if (this.opening || this.closed) return;
    this.open().catch((error: unknown) => this.retry(error));
  }

  private retry(error: unknown): void {
    if (this.closed) return;
    if (isFinal(error)) return this.options.onFailed(error);
    // The stream has no leader for now, or the connection is down: the watcher would find out too, later.
    this.options.connection.clock.after(RETRY_MS, () => this.reopen());
  }

  private watch(): void {
    if (this.options.connection.clock.nowMs() - this.lastHeardMs > SILENCE_MAX_MS) this.reopen();
  }

  private async open(): Promise<void> {
    this.opening = true;
    try {
      this.subscription?.unsubscribe();
      // The stream may have lost what waits (R3): it comes again, or another in its place.
      this.gate.clear();
      const { nats, sender, clock, entropy } = this.options.connection;
      const deliverTo = `${inboxPrefix(sender)}.${entropy.token(16)}`;
      const subscription = nats.subscribe(deliverTo, {
        callback: (error, message) => {
          if (error === null && subscription === this.subscription) this.onMessage(message);
        },
      });
      this.subscription = subscription;
      this.lastHeardMs = clock.nowMs();
      this.caughtUp = false;
      this.targetSeq = Number.POSITIVE_INFINITY;
      await this.follow(deliverTo);
    } finally {
      this.opening = false;
    }
  }

  private async follow(deliverTo: string): Promise<void> {
    const { stream } = this.options;
    await this.compare();
    const { firstSeq, lastSeq } = await stream.info();
    if (firstSeq > this.lastSeq + 1) throw new LogGapError(this.lastSeq + 1, firstSeq);
    this.targetSeq = lastSeq;
    await stream.follow({ deliverTo, fromSeq: this.lastSeq + 1, heartbeatMs: HEARTBEAT_MS });
    if (this.lastSeq >= this.targetSeq) this.setCaughtUp();
  }

  /** R3. */
  private async compare(): Promise<void> {
    const { stream, connection } = this.options;
    const { point } = this;
    if ((await standingOf(stream, point)) !== "differs") return;
    await pause(connection.clock, DOUBT_MS);
    if ((await standingOf(stream, point)) === "differs") throw new LogTailLostError(point.seq);
  }

  private setCaughtUp(): void {
    if (this.caughtUp) return;
    this.caughtUp = true;
    this.options.onCaughtUp();
  }

  private onMessage(message: BusMessage): void {
    if (this.closed) return;
    this.lastHeardMs = this.options.connection.clock.nowMs();
    this.gate.offer(message);
  }

  private take(message: BusMessage): void {
    if (this.closed) return;
    const delivery = parseDelivery(message.reply);
    if (delivery === null) {
      if (message.headers?.code === 100) this.onStatus(message);
      return;
    }
    if (delivery.seq <= this.lastSeq) return;
    if (delivery.seq !== this.lastSeq + 1) return this.onGap(delivery.seq);
    const { seq, stampMs } = delivery;
    const record: RawRecord = { seq, stampMs, subject: message.subject, data: message.data };
    this.lastSeq = seq;
    this.last = record;
    this.gapAt = 0;
    this.options.onRecord(record);
    if (seq >= this.targetSeq) this.setCaughtUp();
  }

  private onStatus(message: BusMessage): void {
    const stalled = message.headers?.get("Nats-Consumer-Stalled") ?? "";
    if (message.reply !== undefined && message.reply !== "") message.respond();
    else if (stalled !== "") this.options.connection.nats.publish(stalled);
    const last = Number(message.headers?.get("Nats-Last-Stream") ?? "");
    if (last > this.lastSeq) this.onGap(last);
    else if (last > 0) this.options.onQuiet?.();
  }

  private onGap(found: number): void {
    if (this.gapAt === this.lastSeq + 1) {
      this.close();
      this.options.onFailed(new LogGapError(this.lastSeq + 1, found));
      return;
    }
    this.gapAt = this.lastSeq + 1;
    this.reopen();
  }
}

function isFinal(error: unknown): error is LogGapError | LogTailLostError {
  return error instanceof LogGapError || error instanceof LogTailLostError;
}

/** The reply subject of a delivery: `$JS.ACK…<stream seq>.<consumer seq>.<stamp in ns>.<pending>`, in its short and its long form. */
export function parseDelivery(reply: string | undefined): { seq: number; stampMs: number } | null {
  if (reply === undefined || !reply.startsWith("$JS.ACK.")) return null;
  // For each record that is folded: in one pass, and nothing is cut out but the two tokens wanted.
  let count = 0;
  for (let at = 0; at < reply.length; at++)
    if (reply.charCodeAt(at) === DOT && count < dots.length) dots[count++] = at;
  const isShort = count === SHORT_FORM_DOTS;
  if (!isShort && count < LONG_FORM_DOTS_MIN) return null;
  const first = isShort ? 4 : 6;
  const token = (at: number): string => reply.slice((dots[at] ?? 0) + 1, dots[at + 1]);
  const seq = Number(token(first));
  const stamp = token(first + 2);
  const stampMs = Number(stamp.slice(0, -6));
  if (!Number.isSafeInteger(seq) || !Number.isFinite(stampMs) || stamp === "") return null;
  return { seq, stampMs };
}

const DOT = ".".charCodeAt(0);
const SHORT_FORM_DOTS = 8;
const LONG_FORM_DOTS_MIN = 10;
/** Where the dots of the subject are that is being read. */
const dots = new Int32Array(LONG_FORM_DOTS_MIN + 1);
