/**
 * Coordinators announce themselves each second and at every change, so that each knows the others: who leads, who stands by and how far they
 * have folded, and by which rules they can fold. A hint only: who leads is in the log.
 *
 * A coordinator hears its own announcements too. One that does not come back shows that its connection does not work,
 * long before the connection itself finds out.
 */
import { hostname } from "node:os";
import {
  type CoordinatorPresence,
  type CoordinatorReport,
  decodeCoordinatorPresence,
  encodeCoordinatorPresence,
  type Sender,
  type Subjects,
  senderOf,
} from "@weft/protocol";
import type { AwakeTime, BusMessage, BusSubscription, Connection, Timer } from "@weft/transport";

export type OwnState = Pick<CoordinatorPresence, "epoch" | "foldVersion" | "foldedSeq"> & {
  readonly state: Exclude<CoordinatorPresence["state"], "left">;
};

export type CoordinatorWatchOptions = {
  readonly connection: Connection;
  readonly subjects: Subjects;
  readonly own: () => OwnState;
  readonly onVoid: (kind: string) => void;
};

/** A coordinator that was heard of lately, this one among them. */
export type KnownCoordinator = CoordinatorPresence & {
  readonly id: Sender;
  readonly lastSeenMsAgo: number;
};

type Watched = { readonly presence: CoordinatorPresence; readonly heardAtMs: number };

const ANNOUNCE_MS = 1_000;
/** Three announcements that were missed. */
const GONE_MS = 3_500;
/** A leader that was heard of within this time lives. */
const LEADER_HEARD_MS = 2_000;
/** An announcement that has not come back by then was lost with the connection. */
const ECHO_MAX_MS = 1_000;
/** Announced by anybody who may: not more are kept. */
const COORDINATORS_MAX = 1_000;

export class CoordinatorWatch {
  private readonly options: CoordinatorWatchOptions;
  private readonly watched = new Map<Sender, Watched>();
  private readonly subscription: BusSubscription;
  private readonly startedAtMs: number;
  private timer: Timer | null = null;
  private startedAwakeMs = 0;
  private awake: Pick<AwakeTime, "nowMs"> | null = null;
  /** When the oldest announcement was sent that has not come back; null where none is out. */
  private unheardSinceMs: number | null = null;

  constructor(options: CoordinatorWatchOptions) {
    const { connection, subjects } = options;
    this.options = options;
    this.startedAtMs = connection.clock.wallMs();
    this.subscription = connection.nats.subscribe(subjects.coordinatorAll(), {
      callback: (error, message) => {
        if (error === null) this.onMessage(message);
      },
    });
  }

  /** Others' silence is measured by this time, which stands still while this process hears nothing. */
  start(awake: Pick<AwakeTime, "nowMs">): void {
    this.awake = awake;
    this.startedAwakeMs = awake.nowMs;
    this.timer ??= this.options.connection.clock.every(ANNOUNCE_MS, () => this.announce());
    this.announce();
  }

  /** Says what is new at once. */
  announce(): void {
    if (this.timer === null) return;
    const { connection, own } = this.options;
    this.unheardSinceMs ??= connection.clock.nowMs();
    this.publish(own());
  }

  /** The last word. */
  leave(): void {
    if (this.timer === null) return;
    this.timer.cancel();
    this.timer = null;
    this.subscription.unsubscribe();
    this.publish({ ...this.options.own(), state: "left" });
  }

  /** Whether what this process sends comes back to it. */
  isHeard(): boolean {
    const { clock } = this.options.connection;
    return this.unheardSinceMs === null || clock.nowMs() - this.unheardSinceMs < ECHO_MAX_MS;
  }

  /** After a reconnect: what was out is lost. */
  reconnected(): void {
    this.unheardSinceMs = null;
    this.announce();
  }

  /** Whether the leader of this epoch was heard of lately. */
  isLeaderHeard(epoch: number): boolean {
    const nowMs = this.awake?.nowMs ?? 0;
    for (const [id, { presence, heardAtMs }] of this.watched) {
      if (presence.state !== "leading" || presence.epoch !== epoch) continue;
      if (id !== this.options.connection.sender && nowMs - heardAtMs < LEADER_HEARD_MS) return true;
    }
    return false;
  }

  /** Who said last that it leads by this epoch; null where nobody did. */
  leaderOf(epoch: number): Sender | null {
    for (const [id, { presence }] of this.watched)
      if (presence.state === "leading" && presence.epoch === epoch) return id;
    return null;
  }

  /** Everybody that was heard of lately, this coordinator among them. */
  known(): KnownCoordinator[] {
    this.forgetGone();
    const nowMs = this.awake?.nowMs ?? 0;
    return [...this.watched].map(([id, { presence, heardAtMs }]) => ({
      ...presence,
      id,
      lastSeenMsAgo: Math.round(nowMs - heardAtMs),
    }));
  }

  /** The same, for people. */
  reports(): CoordinatorReport[] {
    return this.known().map(
      ({ id, state, host, pid, foldedSeq, foldVersion, startedAtMs, lastSeenMsAgo }) => {
        return { id, state, host, pid, foldedSeq, foldVersion, startedAtMs, lastSeenMsAgo };
      },
    );
  }

  /** The newest rules that everybody knows; 0 while this coordinator has not listened for long enough to know everybody. */
  foldVersionOfAll(): number {
    const listenedMs = (this.awake?.nowMs ?? 0) - this.startedAwakeMs;
    const versions = this.known().map(({ foldVersion }) => foldVersion);
    return listenedMs < GONE_MS || versions.length === 0 ? 0 : Math.min(...versions);
  }

  private forgetGone(): void {
    const nowMs = this.awake?.nowMs ?? 0;
    for (const [id, { heardAtMs }] of this.watched) if (nowMs - heardAtMs > GONE_MS) this.watched.delete(id);
  }

  private publish(state: Omit<CoordinatorPresence, "host" | "pid" | "startedAtMs">): void {
    const { connection, subjects } = this.options;
    if (connection.nats.isClosed()) return;
    const presence = { ...state, host: hostname(), pid: process.pid, startedAtMs: this.startedAtMs };
    connection.nats.publish(subjects.coordinator(connection.sender), encodeCoordinatorPresence(presence));
  }

  private onMessage(message: BusMessage): void {
    const id = senderOf(message.subject);
    const read = decodeCoordinatorPresence(message.data);
    if (id === null || !read.ok) return this.options.onVoid(read.ok ? "coordinator of nobody" : read.kind);
    if (id === this.options.connection.sender) this.unheardSinceMs = null;
    if (read.value.state === "left") {
      this.watched.delete(id);
      return;
    }
    if (!this.watched.has(id) && this.watched.size >= COORDINATORS_MAX) {
      this.forgetGone();
      if (this.watched.size >= COORDINATORS_MAX)
        return this.options.onVoid("more coordinators than are kept");
    }
    this.watched.set(id, { presence: read.value, heardAtMs: this.awake?.nowMs ?? 0 });
  }
}
