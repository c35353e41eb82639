/**
 * Reads the log in order through one push consumer with flow control and without acknowledgements.
 *
 * R1 Records are handed on with consecutive sequences, each once. At a gap the consumer is made anew behind the last
 *    record; a gap that remains is a hole in the log and stops the reader.
 * R2 Two missed heartbeats, or a reconnect, make the consumer anew: the server cuts a push consumer without a word.
 */
import { inboxPrefix, LogGapError } from "@weft/protocol";
import type { BusMessage, BusSubscription, Connection, Stream, Timer } from "@weft/transport";

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
  /** After the last record that the log held is handed on; again after each time the consumer was made anew. */
  readonly onCaughtUp: () => void;
  /** The reader cannot go on. */
  readonly onFailed: (error: Error) => void;
};

const HEARTBEAT_MS = 1_000;
const SILENCE_MAX_MS = 2 * HEARTBEAT_MS + 500;
const WATCH_MS = 500;
const RETRY_MS = 200;

export class LogReader {
  private readonly options: LogReaderOptions;
  private subscription: BusSubscription | null = null;
  private lastHeardMs = 0;
  private lastSeq = 0;
  private caughtUp = false;
  private gapAt = 0;
  private opening = false;
  private closed = false;
  private watcher: Timer | null = null;

  constructor(options: LogReaderOptions) {
    this.options = options;
  }

  /** Starts behind `seq`. */
  async start(seq: number): Promise<void> {
    this.lastSeq = seq;
    await this.open();
    this.watcher = this.options.connection.clock.every(WATCH_MS, () => this.watch());
  }

  close(): void {
    this.closed = true;
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
    if (error instanceof LogGapError) return this.options.onFailed(error);
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
      await this.follow(deliverTo);
    } finally {
      this.opening = false;
    }
  }

  private async follow(deliverTo: string): Promise<void> {
    const { stream } = this.options;
    const { firstSeq, lastSeq } = await stream.info();
    if (firstSeq > this.lastSeq + 1) throw new LogGapError(this.lastSeq + 1, firstSeq);
    const pending = await stream.follow({
      deliverTo,
      fromSeq: this.lastSeq + 1,
      heartbeatMs: HEARTBEAT_MS,
    });
    if (pending === 0 && lastSeq <= this.lastSeq) this.setCaughtUp();
  }

  private setCaughtUp(): void {
    if (this.caughtUp) return;
    this.caughtUp = true;
    this.options.onCaughtUp();
  }

  private onMessage(message: BusMessage): void {
    this.lastHeardMs = this.options.connection.clock.nowMs();
    if (message.headers?.code === 100) return this.onStatus(message);
    const delivery = parseDelivery(message.reply);
    if (delivery === null || delivery.seq <= this.lastSeq) return;
    if (delivery.seq !== this.lastSeq + 1) return this.onGap(delivery.seq);
    this.lastSeq = delivery.seq;
    this.gapAt = 0;
    this.options.onRecord({
      seq: delivery.seq,
      stampMs: delivery.stampMs,
      subject: message.subject,
      data: message.data,
    });
    if (delivery.pending === 0) this.setCaughtUp();
  }

  private onStatus(message: BusMessage): void {
    const stalled = message.headers?.get("Nats-Consumer-Stalled") ?? "";
    if (message.reply !== undefined && message.reply !== "") message.respond();
    else if (stalled !== "") this.options.connection.nats.publish(stalled);
    const last = Number(message.headers?.get("Nats-Last-Stream") ?? "");
    if (last > this.lastSeq) this.onGap(last);
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

/** The reply subject of a delivery: `$JS.ACK…<stream seq>.<consumer seq>.<stamp in ns>.<pending>`, in its short and its long form. */
export function parseDelivery(
  reply: string | undefined,
): { seq: number; stampMs: number; pending: number } | null {
  if (reply === undefined || !reply.startsWith("$JS.ACK.")) return null;
  // For each record that is folded: the five tokens wanted are found without cutting up the others.
  const dots: number[] = [];
  for (let dot = reply.indexOf("."); dot >= 0; dot = reply.indexOf(".", dot + 1)) dots.push(dot);
  const isShort = dots.length === SHORT_FORM_DOTS;
  if (!isShort && dots.length < LONG_FORM_DOTS_MIN) return null;
  const first = isShort ? 4 : 6;
  const token = (at: number): string => reply.slice((dots[at] ?? 0) + 1, dots[at + 1]);
  const seq = Number(token(first));
  const stamp = token(first + 2);
  const stampMs = Number(stamp.slice(0, -6));
  const pending = Number(token(first + 3));
  if (!Number.isSafeInteger(seq) || !Number.isFinite(stampMs) || stamp === "") return null;
  return { seq, stampMs, pending };
}

const SHORT_FORM_DOTS = 8;
const LONG_FORM_DOTS_MIN = 10;
