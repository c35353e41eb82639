/**
 * Listens to presence and finds out which workers are gone. A worker whose presence is overdue is probed: "no responders"
 * for a while means that its process is gone; silence means a cut, and is given the whole lease. One that answers is
 * blocked by the code that it runs, for however long, and not lost.
 *
 * All of it is measured in time that this coordinator was awake and connected: after a pause or a cut of its own it knows
 * of nobody that they are gone. Standbys listen too, so that a new leader knows whom to expect.
 *
 * W1 Of one worker at most one message waits here, however many it sends.
 */
import { RequestError } from "@nats-io/transport-node";
import {
  decodePresence,
  decodeProbeAnswer,
  inboxPrefix,
  type Presence,
  type ProbeAnswer,
  type Sender,
  type Subjects,
  senderOf,
} from "@weft/protocol";
import type { AwakeTime, BusMessage, BusSubscription, Connection, Pace, Timer } from "@weft/transport";

export type WorkerWatchOptions = {
  readonly connection: Connection;
  readonly subjects: Subjects;
  readonly awake: Pick<AwakeTime, "nowMs">;
  /** When it looks; in between only where somebody can be overdue before the next time. */
  readonly pace: Pick<Pace, "onBeat" | "periodMs">;
  /** `check` is there where the worker asks to be told when its word has been acted on. */
  readonly onPresence: (worker: Sender, presence: Presence, check: (() => void) | null) => void;
  /** `last` is what it said last. */
  readonly onLost: (worker: Sender, why: WorkerLoss, last: Presence) => void;
  /** It is not heard of: it may be blocked, cut off, paused or gone. */
  readonly onOverdue: (worker: Sender) => void;
  /** Its event loop does not turn, and its other thread says so; told again after a while. */
  readonly onBlocked: (worker: Sender, answer: ProbeAnswer) => void;
  readonly onVoid: (kind: string) => void;
};

export type WorkerLoss = "left" | "gone" | "silent";

type Watched = {
  presence: Presence;
  /** When its last message was taken, by the clock. */
  tookAtMs: number;
  /** By its presence. */
  lastSeenMs: number;
  /** By its presence or its answer to a probe. */
  lastHeardMs: number;
  /** How far it is known to be blocked. */
  blocked: "no" | "told" | "told for long";
  isOverdue: boolean;
  /** A message that came too soon after the one before. */
  waiting: BusMessage | null;
  /** Since when nobody answers for it at all. */
  noRespondersSinceMs: number | null;
  probing: boolean;
  nextProbeMs: number;
};

/** Its second has passed, and what a message may be late. */
const OVERDUE_MS = 1_100;
/** An event loop that has not turned for so long is blocked. */
const BLOCKED_MS = 1_250;
/** Nobody on either of its connections: each of them is made again within some 100 ms where the process lives. */
const NO_RESPONDERS_MS = 500;
const NO_WORK_MS = 2_000;
/** From then on what has not begun there is taken back. */
export const BLOCKED_LONG_MS = 5_000;
const LEASE_MS = 10_000;
const AFTER_RECONNECT_MS = 5_000;
const PROBE_TIMEOUT_MS = 1_000;
const PROBE_INTERVAL_MS = 200;
/** Where nobody was there. */
const AGAIN_MS = 100;
/** How often it looks while somebody is overdue. */
const WATCH_MS = 50;
/** A worker speaks each second, and when a leader is new. */
const MESSAGE_INTERVAL_MS = 20;
const WORKERS_MAX = 20_000;

export class WorkerWatch {
  private readonly options: WorkerWatchOptions;
  private readonly watched = new Map<Sender, Watched>();
  private readonly subscription: BusSubscription;
  private readonly beat: Timer;
  private between: Timer | null = null;
  private listensSinceMs: number;

  constructor(options: WorkerWatchOptions) {
    this.options = options;
    const { nats } = options.connection;
    this.subscription = nats.subscribe(options.subjects.presenceAll(), {
      callback: (error, message) => {
        if (error === null) this.onMessage(message);
      },
    });
    this.listensSinceMs = this.nowMs;
    this.beat = options.pace.onBeat(() => this.look());
  }

  /** Everybody that was heard of lately. */
  *known(): Iterable<readonly [Sender, Presence]> {
    for (const [worker, each] of this.watched) yield [worker, each.presence];
  }

  /** Whether every worker that lives has been heard of: it has listened for longer than they are silent. */
  get knowsAll(): boolean {
    return this.nowMs - this.listensSinceMs >= NO_WORK_MS;
  }

  lastSeenMsAgo(worker: Sender): number {
    const each = this.watched.get(worker);
    return each === undefined ? 0 : Math.round(this.nowMs - each.lastSeenMs);
  }

  close(): void {
    this.beat.cancel();
    this.between?.cancel();
    this.subscription.unsubscribe();
    this.watched.clear();
  }

  isBlocked(worker: Sender): boolean {
    return (this.watched.get(worker)?.blocked ?? "no") !== "no";
  }

  /** After a cut of its own everybody is given time to come back, too. */
  reconnected(): void {
    this.listensSinceMs = this.nowMs;
    const seenMs = this.nowMs - LEASE_MS + AFTER_RECONNECT_MS;
    for (const each of this.watched.values()) {
      each.lastHeardMs = Math.max(each.lastHeardMs, seenMs);
      each.noRespondersSinceMs = null;
    }
  }

  private get nowMs(): number {
    return this.options.awake.nowMs;
  }

  private onMessage(message: BusMessage): void {
    const worker = senderOf(message.subject);
    if (worker === null) return this.options.onVoid("presence of nobody");
    const known = this.watched.get(worker);
    if (known === undefined && this.watched.size >= WORKERS_MAX)
      return this.options.onVoid(`presence of more than ${WORKERS_MAX} workers`);
    const isSoon =
      known !== undefined && this.options.connection.clock.nowMs() - known.tookAtMs < MESSAGE_INTERVAL_MS;
    // The newest says all that those before it said (W1).
    if (!isSoon) return this.take(worker, message);
    if (known.waiting === null) this.takeLater(worker, known);
    known.waiting = message;
  }

  private takeLater(worker: Sender, known: Watched): void {
    this.options.connection.clock.after(MESSAGE_INTERVAL_MS, () => {
      const { waiting } = known;
      if (waiting !== null && this.watched.get(worker) === known) this.take(worker, waiting);
    });
  }

  private take(worker: Sender, message: BusMessage): void {
    const read = decodePresence(message.data);
    if (!read.ok) return this.options.onVoid(read.kind);
    const presence = read.value;
    if (presence.state === "left") return this.remove(worker, "left");
    const heard = {
      presence,
      tookAtMs: this.options.connection.clock.nowMs(),
      lastSeenMs: this.nowMs,
      lastHeardMs: this.nowMs,
      blocked: "no" as const,
      isOverdue: false,
      waiting: null,
      noRespondersSinceMs: null,
    };
    const known = this.watched.get(worker);
    if (known === undefined) this.watched.set(worker, { ...heard, probing: false, nextProbeMs: 0 });
    else Object.assign(known, heard);
    // Answered in its own inbox only, whatever reply subject the message names.
    const asks = message.reply?.startsWith(`${inboxPrefix(worker)}.`) === true;
    this.options.onPresence(worker, presence, asks ? () => void message.respond() : null);
  }

  /** For a new leader: what was told to nobody is told again. */
  tellAgain(): void {
    for (const each of this.watched.values()) {
      each.blocked = "no";
      each.isOverdue = false;
    }
  }

  private remove(worker: Sender, why: WorkerLoss): void {
    const each = this.watched.get(worker);
    this.watched.delete(worker);
    if (each !== undefined) this.options.onLost(worker, why, each.presence);
  }

  private look(): void {
    this.between?.cancel();
    this.between = null;
    // Set first: what is told may end in this watch being closed.
    const waitMs = this.untilOverdueMs();
    const { connection, pace } = this.options;
    if (waitMs < pace.periodMs) this.between = connection.clock.after(waitMs, () => this.look());
    this.watch();
  }

  /** How long nobody can be overdue from now on. */
  private untilOverdueMs(): number {
    const { nowMs } = this;
    let firstMs = Number.POSITIVE_INFINITY;
    for (const { lastSeenMs } of this.watched.values()) firstMs = Math.min(firstMs, lastSeenMs + OVERDUE_MS);
    return Math.max(WATCH_MS, Math.ceil(firstMs - nowMs));
  }

  private watch(): void {
    const { nowMs } = this;
    for (const [worker, each] of this.watched) {
      const unseenMs = nowMs - each.lastSeenMs;
      if (nowMs - each.lastHeardMs >= LEASE_MS) this.remove(worker, "silent");
      else if (unseenMs >= OVERDUE_MS && !each.probing && nowMs >= each.nextProbeMs) this.probe(worker, each);
      if (unseenMs < NO_WORK_MS || each.isOverdue) continue;
      each.isOverdue = true;
      this.options.onOverdue(worker);
    }
  }

  private probe(worker: Sender, each: Watched): void {
    const askedMs = this.nowMs;
    each.probing = true;
    each.nextProbeMs = askedMs + PROBE_INTERVAL_MS;
    const subject = this.options.subjects.probe(worker);
    this.options.connection.nats.request(subject, undefined, { timeout: PROBE_TIMEOUT_MS }).then(
      (message) => {
        each.probing = false;
        this.onAnswer(worker, message);
      },
      (error: unknown) => {
        each.probing = false;
        const isNobodyThere = error instanceof RequestError && error.isNoResponders();
        this.onNoAnswer(worker, each, isNobodyThere ? askedMs : null);
      },
    );
  }

  /**
   * Nobody there, and still nobody when asked again half a second later. When it was asked counts, and not when the answer
   * was read: between the two this process may have been paused.
   */
  private onNoAnswer(worker: Sender, each: Watched, nobodyAtMs: number | null): void {
    each.noRespondersSinceMs = nobodyAtMs === null ? null : (each.noRespondersSinceMs ?? nobodyAtMs);
    if (nobodyAtMs === null || each.noRespondersSinceMs === null) return;
    if (nobodyAtMs - each.noRespondersSinceMs < NO_RESPONDERS_MS) each.nextProbeMs = this.nowMs + AGAIN_MS;
    else if (this.watched.get(worker) === each) this.remove(worker, "gone");
  }

  private onAnswer(worker: Sender, message: BusMessage): void {
    const each = this.watched.get(worker);
    const read = decodeProbeAnswer(message.data);
    if (!read.ok) return this.options.onVoid(`answer to a probe: ${read.kind}`);
    if (each === undefined) return;
    each.lastHeardMs = this.nowMs;
    each.noRespondersSinceMs = null;
    const { blockedMs } = read.value;
    const blocked = blockedMs >= BLOCKED_LONG_MS ? "told for long" : blockedMs >= BLOCKED_MS ? "told" : "no";
    if (blocked === "no" || blocked === each.blocked || each.blocked === "told for long") return;
    each.blocked = blocked;
    this.options.onBlocked(worker, read.value);
  }
}
