/**
 * Listens to presence and finds out which workers are gone. A worker whose presence is overdue is probed: "no responders"
 * for a while means that its process is gone; silence means a cut, and is given the whole lease. One that answers is
 * blocked by the code that it runs, for however long, and not lost.
 *
 * Standbys listen too, so that a new leader knows whom to expect.
 */
import { RequestError } from "@nats-io/transport-node";
import {
  decodePresence,
  decodeProbeAnswer,
  type Presence,
  type Sender,
  type Subjects,
  senderOf,
} from "@weft/protocol";
import type { BusMessage, BusSubscription, Clock, Connection, Timer } from "@weft/transport";

export type WorkerWatchOptions = {
  readonly connection: Connection;
  readonly subjects: Subjects;
  readonly onPresence: (worker: Sender, presence: Presence) => void;
  readonly onLost: (worker: Sender, why: WorkerLoss) => void;
  readonly onBlocked: (worker: Sender, blockedMs: number) => void;
  readonly onVoid: (kind: string) => void;
};

export type WorkerLoss = "left" | "gone" | "silent";

type Watched = {
  presence: Presence;
  /** By its presence. */
  lastSeenMs: number;
  /** By its presence or its answer to a probe. */
  lastHeardMs: number;
  isBlocked: boolean;
  /** Since when nobody answers for it at all. */
  noRespondersSinceMs: number | null;
  probing: boolean;
  nextProbeMs: number;
};

const OVERDUE_MS = 1_300;
const NO_RESPONDERS_MS = 500;
const LEASE_MS = 10_000;
const AFTER_RECONNECT_MS = 5_000;
const PROBE_TIMEOUT_MS = 1_000;
const PROBE_INTERVAL_MS = 200;
const WATCH_MS = 100;

export class WorkerWatch {
  private readonly options: WorkerWatchOptions;
  private readonly watched = new Map<Sender, Watched>();
  private readonly subscription: BusSubscription;
  private readonly clock: Clock;
  private readonly timer: Timer;
  private paused = false;

  constructor(options: WorkerWatchOptions) {
    this.options = options;
    const { nats, clock } = options.connection;
    this.clock = clock;
    this.subscription = nats.subscribe(options.subjects.presenceAll(), {
      callback: (error, message) => {
        if (error === null) this.onMessage(message);
      },
    });
    this.timer = clock.every(WATCH_MS, () => this.watch());
  }

  /** Everybody that was heard of lately. */
  *known(): Iterable<readonly [Sender, Presence]> {
    for (const [worker, each] of this.watched) yield [worker, each.presence];
  }

  lastSeenMsAgo(worker: Sender): number {
    const each = this.watched.get(worker);
    return each === undefined ? 0 : Math.round(this.clock.nowMs() - each.lastSeenMs);
  }

  close(): void {
    this.timer.cancel();
    this.subscription.unsubscribe();
  }

  isBlocked(worker: Sender): boolean {
    return this.watched.get(worker)?.isBlocked ?? false;
  }

  /** The lease counts only while the leader's own connection works. */
  disconnected(): void {
    this.paused = true;
  }

  reconnected(): void {
    this.paused = false;
    const seenMs = this.clock.nowMs() - LEASE_MS + AFTER_RECONNECT_MS;
    for (const each of this.watched.values()) {
      each.lastHeardMs = Math.max(each.lastHeardMs, seenMs);
      each.noRespondersSinceMs = null;
    }
  }

  private onMessage(message: BusMessage): void {
    const worker = senderOf(message.subject);
    const read = decodePresence(message.data);
    if (worker === null || !read.ok) return this.options.onVoid(read.ok ? "presence of nobody" : read.kind);
    if (read.value.state === "left") return this.remove(worker, "left");
    const heard = {
      presence: read.value,
      lastSeenMs: this.clock.nowMs(),
      lastHeardMs: this.clock.nowMs(),
      isBlocked: false,
      noRespondersSinceMs: null,
    };
    const known = this.watched.get(worker);
    if (known === undefined) this.watched.set(worker, { ...heard, probing: false, nextProbeMs: 0 });
    else Object.assign(known, heard);
    this.options.onPresence(worker, read.value);
  }

  private remove(worker: Sender, why: WorkerLoss): void {
    if (this.watched.delete(worker)) this.options.onLost(worker, why);
  }

  private watch(): void {
    if (this.paused) return;
    const nowMs = this.clock.nowMs();
    for (const [worker, each] of this.watched) {
      const { noRespondersSinceMs } = each;
      if (noRespondersSinceMs !== null && nowMs - noRespondersSinceMs >= NO_RESPONDERS_MS)
        this.remove(worker, "gone");
      else if (nowMs - each.lastHeardMs >= LEASE_MS) this.remove(worker, "silent");
      else if (nowMs - each.lastSeenMs >= OVERDUE_MS && !each.probing && nowMs >= each.nextProbeMs)
        this.probe(worker, each);
    }
  }

  private probe(worker: Sender, each: Watched): void {
    each.probing = true;
    each.nextProbeMs = this.clock.nowMs() + PROBE_INTERVAL_MS;
    const subject = this.options.subjects.probe(worker);
    this.options.connection.nats.request(subject, undefined, { timeout: PROBE_TIMEOUT_MS }).then(
      (message) => {
        each.probing = false;
        this.onAnswer(worker, message);
      },
      (error: unknown) => {
        each.probing = false;
        const isNobodyThere = error instanceof RequestError && error.isNoResponders();
        each.noRespondersSinceMs = isNobodyThere ? (each.noRespondersSinceMs ?? this.clock.nowMs()) : null;
      },
    );
  }

  private onAnswer(worker: Sender, message: BusMessage): void {
    const each = this.watched.get(worker);
    const read = decodeProbeAnswer(message.data);
    if (!read.ok) return this.options.onVoid(`answer to a probe: ${read.kind}`);
    if (each === undefined) return;
    each.lastHeardMs = this.clock.nowMs();
    each.noRespondersSinceMs = null;
    const { blockedMs } = read.value;
    if (each.isBlocked || blockedMs < OVERDUE_MS) return;
    each.isBlocked = true;
    this.options.onBlocked(worker, blockedMs);
  }
}
