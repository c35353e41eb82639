/**
 * Listens to presence and finds out which workers are gone. A worker whose presence is overdue is probed: "no responders"
 * for a while means that its process is gone; silence means a cut, and is given the whole lease.
 *
 * Standbys listen too, so that a new leader knows whom to expect.
 */
import { type Msg, type NatsConnection, RequestError, type Subscription } from "@nats-io/transport-node";
import { decodePresence, type Presence, type Sender, type Subjects, senderOf } from "@weft/protocol";

export type WorkerWatchOptions = {
  readonly nats: NatsConnection;
  readonly subjects: Subjects;
  readonly onPresence: (worker: Sender, presence: Presence) => void;
  readonly onLost: (worker: Sender, why: WorkerLoss) => void;
  readonly onVoid: (kind: string) => void;
};

export type WorkerLoss = "left" | "gone" | "silent";

type Watched = {
  presence: Presence;
  lastSeenMs: number;
  /** Since when nobody answers for it at all. */
  noRespondersSinceMs: number | null;
  probing: boolean;
};

const OVERDUE_MS = 1_300;
const NO_RESPONDERS_MS = 500;
const LEASE_MS = 10_000;
const AFTER_RECONNECT_MS = 5_000;
const PROBE_TIMEOUT_MS = 1_000;
const WATCH_MS = 100;

export class WorkerWatch {
  private readonly options: WorkerWatchOptions;
  private readonly watched = new Map<Sender, Watched>();
  private readonly subscription: Subscription;
  private readonly timer: NodeJS.Timeout;
  private paused = false;

  constructor(options: WorkerWatchOptions) {
    this.options = options;
    this.subscription = options.nats.subscribe(options.subjects.presenceAll(), {
      callback: (error, message) => {
        if (error === null) this.onMessage(message);
      },
    });
    this.timer = setInterval(() => this.watch(), WATCH_MS);
  }

  /** Everybody that was heard of lately. */
  *known(): Iterable<readonly [Sender, Presence]> {
    for (const [worker, each] of this.watched) yield [worker, each.presence];
  }

  lastSeenMsAgo(worker: Sender): number {
    const each = this.watched.get(worker);
    return each === undefined ? 0 : Math.round(performance.now() - each.lastSeenMs);
  }

  close(): void {
    clearInterval(this.timer);
    this.subscription.unsubscribe();
  }

  /** The lease counts only while the leader's own connection works. */
  disconnected(): void {
    this.paused = true;
  }

  reconnected(): void {
    this.paused = false;
    const seenMs = performance.now() - LEASE_MS + AFTER_RECONNECT_MS;
    for (const each of this.watched.values()) {
      each.lastSeenMs = Math.max(each.lastSeenMs, seenMs);
      each.noRespondersSinceMs = null;
    }
  }

  private onMessage(message: Msg): void {
    const worker = senderOf(message.subject);
    const read = decodePresence(message.data);
    if (worker === null || !read.ok) return this.options.onVoid(read.ok ? "presence of nobody" : read.kind);
    if (read.value.state === "left") return this.remove(worker, "left");
    const known = this.watched.get(worker);
    if (known === undefined) {
      const lastSeenMs = performance.now();
      this.watched.set(worker, {
        presence: read.value,
        lastSeenMs,
        noRespondersSinceMs: null,
        probing: false,
      });
    } else {
      known.presence = read.value;
      known.lastSeenMs = performance.now();
      known.noRespondersSinceMs = null;
    }
    this.options.onPresence(worker, read.value);
  }

  private remove(worker: Sender, why: WorkerLoss): void {
    if (this.watched.delete(worker)) this.options.onLost(worker, why);
  }

  private watch(): void {
    if (this.paused) return;
    const nowMs = performance.now();
    for (const [worker, each] of this.watched) {
      const silentMs = nowMs - each.lastSeenMs;
      const { noRespondersSinceMs } = each;
      if (noRespondersSinceMs !== null && nowMs - noRespondersSinceMs >= NO_RESPONDERS_MS)
        this.remove(worker, "gone");
      else if (silentMs >= LEASE_MS) this.remove(worker, "silent");
      else if (silentMs >= OVERDUE_MS && !each.probing) this.probe(worker, each);
    }
  }

  private probe(worker: Sender, each: Watched): void {
    each.probing = true;
    const subject = this.options.subjects.worker(worker);
    this.options.nats.request(subject, undefined, { timeout: PROBE_TIMEOUT_MS }).then(
      () => {
        each.probing = false;
        each.noRespondersSinceMs = null;
      },
      (error: unknown) => {
        each.probing = false;
        const isNobodyThere = error instanceof RequestError && error.isNoResponders();
        each.noRespondersSinceMs = isNobodyThere ? (each.noRespondersSinceMs ?? performance.now()) : null;
      },
    );
  }
}
