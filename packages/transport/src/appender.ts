/**
 * Appends items to the log and keeps at it until the log acknowledges them: the acknowledgement is the only promise of
 * durability in the system, so nothing is given up unless the owner says so.
 *
 * Records leave in order, and once one was refused the later ones wait until the log has it: near its limit a stream takes
 * a small record behind a large one that it refused. Only what was on its way already can still overtake.
 *
 * Acknowledgements arrive on one inbox with an unguessable token and must name the stream; a publish of ours that is
 * lost with its connection is sent again after the reconnect, with the same number.
 */
import {
  AppendOutcomeUnknownError,
  ClosedError,
  inboxPrefix,
  RECORD_BYTES_TARGET,
  RECORD_SPAN_MAX,
  TooManyPendingError,
} from "@weft/protocol";
import { type AckError, readAck } from "./ack.ts";
import type { BusSubscription } from "./bus.ts";
import type { Timer } from "./clock.ts";
import type { Connection } from "./connection.ts";
import { HoldUp } from "./hold-up.ts";
import { Outbox, type OutboxItem, type OutboxRecord } from "./outbox.ts";

export type AppenderOptions<Kind, Item> = {
  readonly connection: Connection;
  readonly stream: string;
  /** What the items are, for messages to people: "tasks". */
  readonly noun: string;
  readonly subject: (kind: Kind) => string;
  readonly encode: (record: OutboxRecord<Kind, Item>) => Uint8Array;
  /** Told of each item as it is put into the record of that number: what is written of it then need not be kept until `encode`. */
  readonly packed?: (item: Item, number: number) => void;
  /** Told when appends are refused or unanswered, and again (with null) when they work. */
  readonly onTrouble?: (trouble: AckError | null) => void;
  readonly pendingMax?: number;
};

/**
 * One record on its way. `refused` while the last answer was an error: then `dueAtMs` is the time of the next try.
 * `troubled` once it was refused at all.
 */
type Flight = {
  readonly bytes: Uint8Array;
  readonly subject: string;
  dueAtMs: number;
  backoffMs: number;
  refused: boolean;
  troubled: boolean;
};

/** Records on their way. While they are, what else comes gathers in the next one. */
const WINDOW_MAX = 4;
/** Full ones: whoever adds in a loop is ahead of the first acknowledgement by as many. */
const FULL_WINDOW_MAX = 32;
/**
 * A record of small items is full sooner than its bytes say: whoever reads it passes on all of it together, and those behind
 * them stand still meanwhile.
 */
const RECORD_ITEMS = 640;
const PENDING_MAX = 1_000_000;
const ACK_TIMEOUT_MS = 2_000;
const RETRY_FIRST_MS = 50;
const RETRY_MAX_MS = 1_000;
const SWEEP_MS = 25;
const SWEEP_LATE_MS = 4 * SWEEP_MS;

export class Appender<Kind extends string, Item extends OutboxItem> {
  private readonly options: AppenderOptions<Kind, Item>;
  private readonly outbox: Outbox<Kind, Item>;
  private readonly flights = new Map<number, Flight>();
  private readonly replyPrefix: string;
  private readonly subscription: BusSubscription;
  private readonly pendingMax: number;
  private flushQueued = false;
  private sweeper: Timer | null = null;
  private readonly holdUp = new HoldUp(SWEEP_LATE_MS);
  private held: Timer | null = null;
  private trouble: AckError | null = null;
  private closed = false;
  private idleWaiters: (() => void)[] = [];
  private pendingCount = 0;
  private troubledCount = 0;
  /** The highest number that was acknowledged, and when the last acknowledgement came. */
  private lastNumber = 0;
  private heardAtMs = Number.NEGATIVE_INFINITY;

  constructor(options: AppenderOptions<Kind, Item>) {
    this.options = options;
    this.pendingMax = options.pendingMax ?? PENDING_MAX;
    this.outbox = new Outbox({
      windowMax: WINDOW_MAX,
      fullWindowMax: FULL_WINDOW_MAX,
      spanMax: RECORD_SPAN_MAX,
      recordBytesMax: RECORD_BYTES_TARGET,
      recordItemsMax: RECORD_ITEMS,
    });
    const { nats, sender, entropy } = options.connection;
    this.replyPrefix = `${inboxPrefix(sender)}.${entropy.token(16)}.`;
    this.subscription = nats.subscribe(`${this.replyPrefix}*`, {
      callback: (error, message) => {
        if (error === null) this.onAck(message.subject, message.data);
      },
    });
  }

  /** Items that the log has not acknowledged. */
  get pending(): number {
    return this.pendingCount;
  }

  add(kind: Kind, item: Item): void {
    if (this.closed) throw new ClosedError("the connection");
    if (this.pendingCount >= this.pendingMax)
      throw new TooManyPendingError(this.options.noun, this.pendingMax);
    this.pendingCount++;
    const { number } = this.outbox.add(kind, item);
    this.options.packed?.(item, number);
    // What fills a record need not wait for what else the turn brings.
    if (this.outbox.fillsRecord) this.flush({ fullOnly: true });
    if (this.flushQueued) return;
    this.flushQueued = true;
    const { clock } = this.options.connection;
    // Where nothing is on its way, it waits for what else this call brings, and not for the rest of the turn.
    if (this.flights.size === 0) clock.endOfCall(this.queuedFlush);
    else clock.endOfTurn(this.queuedFlush);
  }

  private readonly queuedFlush = (): void => {
    this.flushQueued = false;
    this.flush();
  };

  /** Sends what is in flight again, at once: after a reconnect. */
  resend(): void {
    for (const [number] of this.inOrder()) this.send(number);
  }

  /** Sends nothing new for so long; what is on its way is repeated as ever. */
  hold(waitMs: number): void {
    this.held?.cancel();
    this.held = this.options.connection.clock.after(waitMs, () => {
      this.held = null;
      if (!this.flushQueued) this.flush();
    });
  }

  /** Whether what is new is held back. */
  get isHeld(): boolean {
    return this.held !== null;
  }

  /** Resolves when everything added so far is acknowledged. */
  async idle(): Promise<void> {
    if (this.pendingCount === 0) return;
    await new Promise<void>((resolve) => this.idleWaiters.push(resolve));
  }

  /** Gives up what is not acknowledged: its outcome is unknown, and its items are told so. */
  close(): void {
    if (this.closed) return;
    this.closed = true;
    this.subscription.unsubscribe();
    this.sweeper?.cancel();
    this.held?.cancel();
    const left = this.outbox.abandonAll();
    this.flights.clear();
    this.troubledCount = 0;
    this.pendingCount = 0;
    const error = new AppendOutcomeUnknownError(
      `closed while ${left.length} ${this.options.noun} were not acknowledged: the log may or may not have them`,
    );
    for (const item of left) item.abandoned(error);
    this.wakeIdle();
  }

  /** Sends what waits, or as much of it as fills records. */
  private flush({ fullOnly } = { fullOnly: false }): void {
    if (this.closed) return;
    const mayTake = this.troubledCount === 0 && this.held === null;
    while (mayTake && (!fullOnly || this.outbox.fillsRecord)) {
      const record = this.outbox.take();
      if (record === null) break;
      const flight = {
        bytes: this.options.encode(record),
        subject: this.options.subject(record.kind),
        dueAtMs: 0,
        backoffMs: RETRY_FIRST_MS,
        refused: false,
        troubled: false,
      };
      this.flights.set(record.number, flight);
      this.send(record.number);
    }
    if (this.sweeper !== null) return;
    const { clock } = this.options.connection;
    this.holdUp.begin(clock.nowMs());
    this.sweeper = clock.every(SWEEP_MS, () => this.sweep());
  }

  private send(number: number): void {
    const flight = this.flights.get(number);
    const { nats, clock } = this.options.connection;
    if (flight === undefined || nats.isClosed()) return;
    flight.dueAtMs = clock.nowMs() + ACK_TIMEOUT_MS;
    flight.refused = false;
    nats.publish(flight.subject, flight.bytes, { reply: this.replyPrefix + number });
  }

  private sweep(): void {
    if (this.flights.size === 0) {
      this.sweeper?.cancel();
      this.sweeper = null;
      return;
    }
    const nowMs = this.options.connection.clock.nowMs();
    if (this.holdUp.precedes(nowMs)) return;
    for (const [number, flight] of this.inOrder()) {
      if (nowMs < this.dueAtMs(number, flight)) continue;
      if (!flight.refused) this.setTrouble({ code: 0, message: "no acknowledgement in time" });
      this.send(number);
    }
  }

  /** A slow link is no lost one: what is behind the last that was acknowledged is not late while acknowledgements come. */
  private dueAtMs(number: number, { refused, dueAtMs }: Flight): number {
    if (refused || number < this.lastNumber) return dueAtMs;
    return Math.max(dueAtMs, this.heardAtMs + ACK_TIMEOUT_MS);
  }

  /** What may be sent: of the records that were refused only the first. */
  private *inOrder(): Iterable<[number, Flight]> {
    let isHeld = false;
    for (const [number, flight] of this.flights) {
      if (!flight.troubled) yield [number, flight];
      else if (!isHeld) {
        isHeld = true;
        yield [number, flight];
      }
    }
  }

  /** The log takes records again: the next one that was refused need not wait for its turn. */
  private sendNextTroubled(): void {
    for (const [number, flight] of this.inOrder()) if (flight.troubled) return this.send(number);
  }

  private onAck(subject: string, data: Uint8Array): void {
    const number = Number(subject.slice(this.replyPrefix.length));
    const ack = readAck(data, this.options.stream);
    if (ack.ok) {
      const record = this.outbox.settle(number);
      if (record === null) return;
      this.lastNumber = Math.max(this.lastNumber, number);
      this.heardAtMs = this.options.connection.clock.nowMs();
      const wasTroubled = this.flights.get(number)?.troubled === true;
      this.flights.delete(number);
      if (wasTroubled) this.troubledCount--;
      this.setTrouble(null);
      this.pendingCount -= record.items.length;
      for (const item of record.items) item.acknowledged(ack.seq);
      if (wasTroubled) this.sendNextTroubled();
      this.flush();
      if (this.pendingCount === 0) this.wakeIdle();
      return;
    }
    const flight = this.flights.get(number);
    if (flight === undefined) return;
    this.setTrouble(ack.error);
    flight.refused = true;
    if (!flight.troubled) this.troubledCount++;
    flight.troubled = true;
    flight.dueAtMs = this.options.connection.clock.nowMs() + flight.backoffMs;
    flight.backoffMs = Math.min(RETRY_MAX_MS, flight.backoffMs * 2);
  }

  /** Told when it changes, not for each record that has it. */
  private setTrouble(trouble: AckError | null): void {
    if (trouble?.message === this.trouble?.message) return;
    this.trouble = trouble;
    this.options.onTrouble?.(trouble);
  }

  private wakeIdle(): void {
    const waiters = this.idleWaiters;
    this.idleWaiters = [];
    for (const wake of waiters) wake();
  }
}
