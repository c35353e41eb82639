/**
 * Who leads is in the log. A coordinator stands by appending `elected` with a nonce of its own; it leads when it folds
 * that record, and is deposed when it folds another's.
 *
 * A standby that has folded no control record for 2 s of its own clock, while its connection was up, stands. Where no
 * leader ever was, or the last one resigned, it stands at once.
 */
import { assertNever, type ControlEvent, type ControlRecord, type LostAttempt, Nonce } from "@weft/protocol";
import { type Clock, type Entropy, pause, type Timer } from "@weft/transport";
import type { Ledger } from "../core/ledger/index.ts";
import type { ControlWriter } from "./control-writer.ts";

export type Role = "following" | "standing" | "leading" | "stopped";

export type LeadershipOptions = {
  readonly clock: Clock;
  readonly entropy: Entropy;
  readonly ledger: Ledger;
  readonly writer: ControlWriter;
  readonly isConnected: () => boolean;
  readonly onElected: (epoch: number) => void;
  readonly onDeposed: () => void;
  /** A promise of the shell failed: nobody awaits it here. */
  readonly onFailed: (error: Error) => void;
};

const SILENCE_MAX_MS = 2_000;
const TICK_MS = 500;
const WATCH_MS = 50;
const SPREAD_MS = 150;
const LOST_PER_RECORD_MAX = 5_000;

export class Leadership {
  private readonly options: LeadershipOptions;
  private readonly clock: Clock;
  /** Spreads what several coordinators would else do at the same instant. */
  private readonly offsetMs: number;
  role: Role = "following";
  private nonce: Nonce | null = null;
  private lastControlMs: number;
  private lastTickMs = 0;
  private vacantSinceMs: number | null = null;
  private watcher: Timer | null = null;
  private lost: LostAttempt[] = [];
  private writing = false;

  constructor(options: LeadershipOptions) {
    this.options = options;
    this.clock = options.clock;
    this.offsetMs = options.entropy.below(SPREAD_MS);
    this.lastControlMs = this.clock.nowMs();
  }

  /** Begins to watch, once the log is folded up to its end. */
  start(): void {
    this.lastControlMs = this.clock.nowMs();
    this.watcher ??= this.clock.every(WATCH_MS, () => this.watch());
  }

  get leading(): boolean {
    return this.role === "leading";
  }

  /** Tells of every control record that was folded with effect on who leads. */
  folded(record: ControlRecord): void {
    this.lastControlMs = this.clock.nowMs();
    const { ledger } = this.options;
    this.vacantSinceMs = null;
    const mine = ledger.leader !== null && ledger.leader === this.nonce;
    if (mine && this.role !== "leading" && this.role !== "stopped") {
      this.role = "leading";
      this.lastTickMs = this.clock.nowMs();
      this.options.onElected(ledger.epoch);
    } else if (!mine && this.role === "leading" && record.event.type === "elected") {
      this.role = "following";
      this.nonce = null;
      this.lost = [];
      this.options.onDeposed();
    }
  }

  /** After a cut the silence was the connection's, not the leader's. */
  reconnected(): void {
    this.lastControlMs = this.clock.nowMs();
  }

  /** Reports attempts as lost, in a control record as soon as the one before is folded. */
  reportLost(attempts: readonly LostAttempt[]): void {
    for (const attempt of attempts) this.lost.push(attempt);
    this.write();
  }

  /** Neither leads nor stands any more. */
  stop(): void {
    this.watcher?.cancel();
    this.watcher = null;
    this.role = "stopped";
  }

  /** Hands over on purpose: the next leader need not wait for silence. */
  async resign(): Promise<void> {
    const wasLeading = this.role === "leading";
    this.stop();
    if (!wasLeading) return;
    const epoch = this.options.ledger.epoch;
    const deadlineMs = this.clock.nowMs() + SILENCE_MAX_MS;
    while (this.writing && this.clock.nowMs() < deadlineMs) await pause(this.clock, 1);
    await this.options.writer.append(
      epoch,
      { type: "resigned" },
      () =>
        this.options.ledger.epoch === epoch && this.options.isConnected() && this.clock.nowMs() < deadlineMs,
    );
  }

  private watch(): void {
    const nowMs = this.clock.nowMs();
    switch (this.role) {
      case "leading":
        if (nowMs - this.lastTickMs >= TICK_MS) this.write();
        return;
      case "following":
        if (this.options.isConnected() && this.isVacant(nowMs)) this.stand();
        return;
      case "standing":
      case "stopped":
        return;
      default:
        assertNever(this.role);
    }
  }

  private isVacant(nowMs: number): boolean {
    if (this.options.ledger.leader !== null)
      return nowMs - this.lastControlMs > SILENCE_MAX_MS + this.offsetMs;
    this.vacantSinceMs ??= nowMs;
    return nowMs - this.vacantSinceMs >= this.offsetMs;
  }

  private stand(): void {
    this.role = "standing";
    this.nonce = Nonce.create(this.options.entropy.token);
    this.options.writer.tryAppend(0, { type: "elected", nonce: this.nonce }).then(
      () => {
        if (this.role !== "standing") return;
        // Refused or unanswered: fold on, and wait anew. If the record did arrive, `folded` makes this one the leader.
        this.role = "following";
        this.lastControlMs = this.clock.nowMs();
        this.vacantSinceMs = null;
      },
      (error: unknown) => this.options.onFailed(error as Error),
    );
  }

  /** One record at a time; a report of losses is a tick as well. */
  private write(): void {
    if (this.writing || this.role !== "leading") return;
    this.writing = true;
    this.lastTickMs = this.clock.nowMs();
    const epoch = this.options.ledger.epoch;
    const lost = this.lost.splice(0, LOST_PER_RECORD_MAX);
    const event: ControlEvent = lost.length > 0 ? { type: "lost", attempts: lost } : { type: "tick" };
    const current = (): boolean => this.role === "leading" && this.options.ledger.epoch === epoch;
    this.options.writer.append(epoch, event, current).then(
      () => {
        this.writing = false;
        if (this.lost.length > 0) this.write();
      },
      (error: unknown) => this.options.onFailed(error as Error),
    );
  }
}
