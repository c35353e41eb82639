/**
 * Who leads is in the log. A coordinator stands by appending `elected` with a nonce of its own; it leads when it folds
 * that record, and is deposed when it folds another's.
 *
 * A standby that has folded no control record for a while of the time that it was awake, while its connection worked, stands (silence.ts).
 * Where no leader ever was, or the last one resigned, it stands at once; where a tick stays out and the leader's process
 * turns out to be gone, too. While the leader still announces itself, the silence is the stream's: all wait, and the
 * leader, which tries more often, goes on.
 */
import {
  assertNever,
  type Carried,
  type ControlEvent,
  type ExpiredAttempt,
  type LedgerSettings,
  type LostAttempt,
  Nonce,
} from "@weft/protocol";
import { type AwakeTime, type Clock, type Entropy, type Pace, type Timer, within } from "@weft/transport";
import type { Ledger } from "../core/ledger/index.ts";
import type { ControlWriter } from "./control-writer.ts";
import { sameSettings } from "./ledger-settings.ts";
import { type Patience, patience, SILENCE_MAX_MS, TICK_LATE_MS } from "./silence.ts";

export type Role = "following" | "standing" | "leading" | "stopped";

export type LeadershipOptions = {
  readonly clock: Clock;
  readonly awake: Pick<AwakeTime, "nowMs">;
  /** When a leader ticks. */
  readonly pace: Pick<Pace, "onBeat">;
  readonly entropy: Entropy;
  readonly ledger: Pick<
    Ledger,
    "leader" | "epoch" | "foldVersion" | "settings" | "lastControlMark" | "nextDueMs"
  > & {
    readonly clock: { readonly nowMs: number };
    readonly live: { readonly size: number };
  };
  /** What this coordinator was started with: while it leads, every fold holds to it. */
  readonly settings: () => LedgerSettings;
  readonly writer: Pick<ControlWriter, "append" | "tryAppend">;
  readonly isConnected: () => boolean;
  /** Whether the leader of this epoch was heard of lately. A hint: it delays a stand, and no longer than a while. */
  readonly isLeaderHeard: (epoch: number) => boolean;
  /** Whether its process is found to be gone. Asked again and again from the first tick on that stays out. */
  readonly isLeaderGone: (epoch: number) => boolean;
  /** The newest rules that every live coordinator knows; 0 where that is not known. */
  readonly foldVersionOfAll: () => number;
  readonly onElected: (epoch: number) => void;
  readonly onDeposed: () => void;
  /** A promise of the shell failed: nobody awaits it here. */
  readonly onFailed: (error: Error) => void;
};

/** A stream is away for 4 to 12 s while it changes its leader: so long, a leader that is heard of stays. */
const OUTAGE_MAX_MS = 15_000;
export const TICK_MS = 500;
/** Another record of the leader's says as much as a tick, unless the one after that were late. */
const TICK_SPARE_MS = TICK_LATE_MS - TICK_MS;
/** Between two looks at what is due, and at a leader that is silent. */
const WATCH_MS = 50;
/** A timer may fire a little early. */
const LOOK_MIN_MS = 1;
const SPREAD_MS = 150;
/** Several that stand at the same instant do no harm: the log takes one of them, and refuses the others at once. */
const VACANT_SPREAD_MS = 20;
const ATTEMPTS_PER_RECORD_MAX = 5_000;

/** Values to be carried, and who waits for that. */
type Carry = { readonly carried: readonly Carried[]; readonly done: () => void };

export class Leadership {
  private readonly options: LeadershipOptions;
  private readonly clock: Clock;
  private readonly awake: Pick<AwakeTime, "nowMs">;
  /** Spreads what several coordinators would else do at the same instant. */
  private readonly offsetMs: number;
  /** The same for all elections of this process: whichever of its records is folded, late ones among them, it leads by. */
  private readonly nonce: Nonce;
  role: Role = "following";
  /** The term that this coordinator leads; 0 while it leads none. */
  private epoch = 0;
  private lastControlMs = 0;
  private aliveSinceMs: number | null = null;
  /** It has folded a record of the leader's since it began to watch. */
  private hasHeard = false;
  private lastTickMs = 0;
  private beat: Timer | null = null;
  private started = false;
  /** The next look at what has come due; it is taken when something may have, and not before: to be woken for nothing is what an idle cluster costs. */
  private look: { readonly atMs: number; readonly timer: Timer } | null = null;
  private vacancy: Timer | null = null;
  private lost: LostAttempt[] = [];
  private expired: ExpiredAttempt[] = [];
  private carries: Carry[] = [];
  private writing: Promise<unknown> | null = null;
  private standing: Promise<unknown> | null = null;

  constructor(options: LeadershipOptions) {
    this.options = options;
    this.clock = options.clock;
    this.awake = options.awake;
    this.offsetMs = options.entropy.below(SPREAD_MS);
    this.nonce = Nonce.create(options.entropy.token);
  }

  /** Begins to watch, once the log is folded up to its end. */
  start(): void {
    this.lastControlMs = this.awake.nowMs;
    this.started = true;
    this.beat = this.options.pace.onBeat(() => this.onBeat());
    this.noteLife();
    this.lookAgain();
    this.standIfVacant();
  }

  get leading(): boolean {
    return this.role === "leading";
  }

  /** A control record was folded. */
  folded(): void {
    this.lastControlMs = this.awake.nowMs;
    const { ledger, onElected, onDeposed } = this.options;
    const mine = ledger.leader === this.nonce;
    // The log says so, and nothing else: one that is stopping leads until that is folded, and not a record longer. An
    // election of its own that was taken for lost may be folded while it leads already: a new term begins.
    if (this.epoch !== 0 && (!mine || ledger.epoch !== this.epoch)) {
      this.epoch = 0;
      if (this.role === "leading") this.role = "following";
      this.lost = [];
      this.expired = [];
      for (const { done } of this.carries.splice(0)) done();
      onDeposed();
    }
    if (this.role === "stopped") return;
    this.hasHeard = this.started;
    this.noteLife();
    if (mine && this.role !== "leading") {
      this.role = "leading";
      this.epoch = ledger.epoch;
      this.lastTickMs = this.clock.nowMs();
      onElected(ledger.epoch);
      // What comes next is judged by them: the first tick would be half a second late.
      if (this.settingsOf(this.options.ledger) !== null) this.write();
    }
    this.lookAgain();
    this.standIfVacant();
  }

  /** Other records were folded, or none for as long as a tick takes: something may be due earlier than it was, or a tick be late. */
  advanced(): void {
    this.noteLife();
    this.lookBy(this.role === "following" ? this.clockMs(this.patience().lateAtMs) : this.nextLookMs());
  }

  /** After a cut the silence was the connection's, not the leader's. */
  reconnected(): void {
    this.lastControlMs = this.awake.nowMs;
    this.lookAgain();
  }

  /** Reports attempts as lost, in a control record as soon as the one before is folded. */
  reportLost(attempts: readonly LostAttempt[]): void {
    for (const attempt of attempts) this.lost.push(attempt);
    this.write();
  }

  /** Reports attempts that had their time. */
  reportExpired(attempts: readonly ExpiredAttempt[]): void {
    for (const attempt of attempts) this.expired.push(attempt);
    this.write();
  }

  /** Carries values to a record of their own. Resolves once that is folded, or never will be by this leader. */
  carry(carried: readonly Carried[]): Promise<void> {
    if (this.role !== "leading") return Promise.resolve();
    const { promise, resolve } = Promise.withResolvers<void>();
    this.carries.push({ carried, done: resolve });
    this.write();
    return promise;
  }

  /** Neither leads nor stands any more. */
  stop(): void {
    this.look?.timer.cancel();
    this.look = null;
    this.beat?.cancel();
    this.vacancy?.cancel();
    this.role = "stopped";
  }

  /** Hands over on purpose: the next leader need not wait for silence. */
  async resign(): Promise<void> {
    const deadlineMs = this.clock.nowMs() + SILENCE_MAX_MS;
    this.stop();
    // What is on its way comes first: also an election, which would else leave a leader that is not there.
    const before = this.writing ?? this.standing;
    if (before !== null) await within(this.clock, SILENCE_MAX_MS, before);
    const { ledger, writer, isConnected } = this.options;
    const { epoch } = ledger;
    const current = (): boolean =>
      ledger.epoch === epoch &&
      ledger.leader === this.nonce &&
      isConnected() &&
      this.clock.nowMs() < deadlineMs;
    if (current()) await writer.append(epoch, { type: "resigned" }, current);
  }

  private watch(): void {
    switch (this.role) {
      case "leading":
        if (this.clock.nowMs() >= this.nextDueTickMs()) this.write();
        return;
      case "following":
        if (this.options.isConnected() && this.isSilent()) this.stand();
        return;
      case "standing":
      case "stopped":
        return;
      default:
        assertNever(this.role);
    }
  }

  /** Looks when something may be due next, in place of when that was to be. */
  private lookAgain(): void {
    this.look?.timer.cancel();
    this.look = null;
    this.lookBy(this.nextLookMs());
  }

  /** Infinity for not at all. */
  private lookBy(atMs: number): void {
    if (!this.started || atMs === Number.POSITIVE_INFINITY || (this.look !== null && this.look.atMs <= atMs))
      return;
    this.look?.timer.cancel();
    const waitMs = Math.max(0, Math.ceil(atMs - this.clock.nowMs()));
    const timer = this.clock.after(waitMs, () => {
      this.look = null;
      this.watch();
      this.lookBy(Math.max(this.nextLookMs(), this.clock.nowMs() + LOOK_MIN_MS));
    });
    this.look = { atMs, timer };
  }

  /** By the clock. While a record of its own is on its way there is nothing to look for. */
  private nextLookMs(): number {
    switch (this.role) {
      case "leading":
        return this.writing === null ? this.nextDueTickMs() : Number.POSITIVE_INFINITY;
      case "following": {
        const { lateAtMs } = this.patience();
        if (this.awake.nowMs >= lateAtMs) return this.clock.nowMs() + WATCH_MS;
        // Where nothing lives it is told that a tick is late (`advanced`), or else sees it at the next beat: a timer for that would wake it
        // for nothing after each one that is not.
        return this.aliveSinceMs === null ? Number.POSITIVE_INFINITY : this.clockMs(lateAtMs);
      }
      case "standing":
      case "stopped":
        return Number.POSITIVE_INFINITY;
      default:
        return assertNever(this.role);
    }
  }

  /** With all else that happens then. */
  private onBeat(): void {
    if (this.role === "leading") {
      if (this.clock.nowMs() - this.lastTickMs >= TICK_SPARE_MS) this.write();
      return;
    }
    this.watch();
    this.lookBy(this.nextLookMs());
  }

  private noteLife(): void {
    if (this.options.ledger.live.size === 0) this.aliveSinceMs = null;
    else this.aliveSinceMs ??= this.awake.nowMs;
  }

  private patience(): Patience {
    const { lastControlMs: controlMs, aliveSinceMs, hasHeard } = this;
    return patience({ controlMs, aliveSinceMs, hasHeard });
  }

  /** A tick for what waits for a moment before the next one, but not for each such moment on its own. */
  private nextDueTickMs(): number {
    const { ledger } = this.options;
    const dueMs = ledger.nextDueMs();
    if (dueMs === null) return Number.POSITIVE_INFINITY;
    return this.lastTickMs + Math.max(WATCH_MS, dueMs - ledger.clock.nowMs);
  }

  /** When it will be that time awake. */
  private clockMs(awakeMs: number): number {
    return this.clock.nowMs() + Math.max(0, awakeMs - this.awake.nowMs);
  }

  private isSilent(): boolean {
    const { ledger, isLeaderHeard, isLeaderGone } = this.options;
    const { nowMs } = this.awake;
    const { lateAtMs, overAtMs } = this.patience();
    if (nowMs >= lateAtMs && ledger.leader !== null && isLeaderGone(ledger.epoch)) return true;
    if (nowMs <= overAtMs + this.offsetMs) return false;
    const isOutageOver = nowMs - this.lastControlMs > OUTAGE_MAX_MS;
    return isOutageOver || ledger.leader === null || !isLeaderHeard(ledger.epoch);
  }

  private standIfVacant(): void {
    const { ledger, entropy } = this.options;
    const isVacant = (): boolean => this.started && ledger.leader === null && this.role === "following";
    if (!isVacant()) return;
    this.vacancy?.cancel();
    this.vacancy = this.clock.after(entropy.below(VACANT_SPREAD_MS), () => {
      if (isVacant()) this.stand();
    });
  }

  private stand(): void {
    this.role = "standing";
    this.standing = this.options.writer.tryAppend(0, { type: "elected", nonce: this.nonce }).then(
      () => {
        this.standing = null;
        if (this.role !== "standing") return;
        // Refused or unanswered: fold on, and wait anew. If the record did arrive, `folded` makes this one the leader.
        this.role = "following";
        this.lastControlMs = this.awake.nowMs;
        this.lookAgain();
        this.standIfVacantLater();
      },
      (error: unknown) => this.options.onFailed(error as Error),
    );
  }

  /** Nobody leads, and the log took no candidate: again, without haste. */
  private standIfVacantLater(): void {
    if (this.options.ledger.leader !== null) return;
    this.vacancy?.cancel();
    this.vacancy = this.clock.after(TICK_MS, () => this.standIfVacant());
  }

  /** New rules are in force once everybody knows them: in a rolling upgrade, with the last old coordinator gone. */
  private versionOf(ledger: LeadershipOptions["ledger"]): ControlEvent | null {
    const version = this.options.foldVersionOfAll();
    return version > ledger.foldVersion ? { type: "fold_version", version } : null;
  }

  private settingsOf(ledger: LeadershipOptions["ledger"]): ControlEvent | null {
    const settings = this.options.settings();
    return sameSettings(settings, ledger.settings) ? null : { type: "settings", settings };
  }

  /** One record at a time; a report is a tick as well. */
  private write(): void {
    if (this.writing !== null || this.role !== "leading") return;
    this.lastTickMs = this.clock.nowMs();
    const { epoch } = this;
    const { event, done } = this.nextWrite();
    const current = (): boolean => this.role === "leading" && this.epoch === epoch;
    this.writing = this.options.writer.append(epoch, event, current).then(
      () => {
        this.writing = null;
        done?.();
        if (this.lost.length + this.expired.length + this.carries.length > 0) this.write();
        else this.lookAgain();
      },
      (error: unknown) => this.options.onFailed(error as Error),
    );
  }

  private nextWrite(): { readonly event: ControlEvent; readonly done?: () => void } {
    const carry = this.lost.length + this.expired.length === 0 ? this.carries.shift() : undefined;
    if (carry === undefined) return { event: this.nextEvent() };
    return { event: { type: "carry", carried: carry.carried }, done: carry.done };
  }

  private nextEvent(): ControlEvent {
    const lost = this.lost.splice(0, ATTEMPTS_PER_RECORD_MAX);
    if (lost.length > 0) return { type: "lost", attempts: lost };
    const expired = this.expired.splice(0, ATTEMPTS_PER_RECORD_MAX);
    if (expired.length > 0) return { type: "expired", attempts: expired };
    const { ledger } = this.options;
    return (
      this.versionOf(ledger) ?? this.settingsOf(ledger) ?? { type: "tick", mark: ledger.lastControlMark }
    );
  }
}
