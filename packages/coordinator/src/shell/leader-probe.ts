/**
 * Finds out whether the process that leads is gone, where its ticks stay out: "no responders" for a while, although it
 * is asked again, means that it has no connection. A leader that lives answers at once, or, when it is frozen or busy, not;
 * then its silence alone counts.
 *
 * A hint like everything but the log: who takes a leader for gone that is not is elected, and the work goes on.
 */
import { RequestError } from "@nats-io/transport-node";
import type { Sender, Subjects } from "@weft/protocol";
import type { AwakeTime, BusSubscription, Connection } from "@weft/transport";

export type LeaderProbeOptions = {
  readonly connection: Connection;
  readonly subjects: Subjects;
  readonly awake: Pick<AwakeTime, "nowMs">;
  /** Who leads by this epoch; null where it was not heard of. */
  readonly leaderOf: (epoch: number) => Sender | null;
};

/** A connection that is lost is made again within some 100 ms where the process lives. */
const NO_RESPONDERS_MS = 400;
/** After a reconnect of its own the leader may be about to come back, too. */
const AFTER_RECONNECT_MS = 5_000;
const TIMEOUT_MS = 1_000;
const INTERVAL_MS = 200;
/** Where nobody was there. */
const AGAIN_MS = 100;

export class LeaderProbe {
  private readonly options: LeaderProbeOptions;
  private readonly subscription: BusSubscription;
  /** The term whose leader is asked. */
  private epoch = 0;
  private asking = false;
  private nextMs = 0;
  /** Nothing is asked before, and no answer counts. */
  private quietUntilMs = 0;
  /** Since when nobody has been there, and when that was last seen. */
  private nobody: { readonly sinceMs: number; readonly seenMs: number } | null = null;

  constructor(options: LeaderProbeOptions) {
    this.options = options;
    const { connection, subjects } = options;
    this.subscription = connection.nats.subscribe(subjects.probe(connection.sender), {
      callback: (error, message) => {
        if (error === null) message.respond();
      },
    });
  }

  /** To be called again and again while it is silent: asks, and tells what the answers so far mean. */
  isGone(epoch: number): boolean {
    if (epoch !== this.epoch) this.nobody = null;
    this.epoch = epoch;
    const { awake, leaderOf } = this.options;
    const leader = leaderOf(epoch);
    if (leader === null) return false;
    if (!this.asking && awake.nowMs >= Math.max(this.nextMs, this.quietUntilMs)) this.ask(leader, epoch);
    return this.nobody !== null && this.nobody.seenMs - this.nobody.sinceMs >= NO_RESPONDERS_MS;
  }

  /** It was heard of. */
  heard(): void {
    this.nobody = null;
  }

  reconnected(): void {
    this.nobody = null;
    this.quietUntilMs = this.options.awake.nowMs + AFTER_RECONNECT_MS;
  }

  close(): void {
    this.subscription.unsubscribe();
  }

  private ask(leader: Sender, epoch: number): void {
    const { connection, subjects, awake } = this.options;
    const askedMs = awake.nowMs;
    this.asking = true;
    this.nextMs = askedMs + INTERVAL_MS;
    connection.nats.request(subjects.probe(leader), undefined, { timeout: TIMEOUT_MS }).then(
      () => this.answered(epoch, null),
      (error: unknown) => {
        const isNobodyThere = error instanceof RequestError && error.isNoResponders();
        this.answered(epoch, isNobodyThere ? askedMs : null);
      },
    );
  }

  /** `nobodyAtMs` is when it was asked: between that and the answer this process may have been paused. */
  private answered(epoch: number, nobodyAtMs: number | null): void {
    this.asking = false;
    const { nowMs } = this.options.awake;
    if (epoch !== this.epoch || nowMs < this.quietUntilMs) return;
    this.nobody =
      nobodyAtMs === null ? null : { sinceMs: this.nobody?.sinceMs ?? nobodyAtMs, seenMs: nobodyAtMs };
    if (nobodyAtMs !== null) this.nextMs = nowMs + AGAIN_MS;
  }
}
