/**
 * The beat in which a process looks at what has become of others: each half second while it has something to lose, each second while it
 * has not, as to be woken is most of what an idle process costs. What begins in between is looked at as soon as anything else: no
 * half second goes by without a beat from then on.
 */
import type { Clock, Timer } from "./clock.ts";

export type PaceOptions = {
  readonly clock: Clock;
  /** Whether there is anything to lose. */
  readonly isBusy: () => boolean;
};

/** With all else that happens then. */
const IDLE_MS = 1_000;
/** One that comes so soon behind another is left out: even so the next one is hardly late. */
const TWICE_MS = 100;

export class Pace {
  static readonly busyMs = 500;
  private readonly options: PaceOptions;
  private readonly acts = new Set<() => void>();
  private readonly second: Timer;
  /** A beat between those of the seconds. */
  private between: Timer | null = null;
  private lastMs: number;
  private closed = false;

  constructor(options: PaceOptions) {
    this.options = options;
    this.lastMs = options.clock.nowMs();
    this.second = options.clock.every(IDLE_MS, () => this.onSecond());
    // The first second may be long.
    this.arm();
  }

  /** The time to the next beat, at the most. */
  get periodMs(): number {
    return this.between === null ? IDLE_MS : Pace.busyMs;
  }

  /** From the next one on. */
  onBeat(act: () => void): Timer {
    this.acts.add(act);
    return { cancel: () => void this.acts.delete(act) };
  }

  /** There may be something to lose from now on. */
  advanced(): void {
    if (this.between === null && !this.closed && this.options.isBusy()) this.arm();
  }

  close(): void {
    this.closed = true;
    this.second.cancel();
    this.between?.cancel();
    this.acts.clear();
  }

  private onSecond(): void {
    if (this.options.clock.nowMs() - this.lastMs >= TWICE_MS) this.beat();
    else if (this.options.isBusy()) this.arm();
  }

  private beat(): void {
    this.lastMs = this.options.clock.nowMs();
    this.between?.cancel();
    this.between = null;
    // The next one first: what an act throws ends no watch.
    this.advanced();
    for (const act of this.acts) act();
  }

  /** A beat that is overdue waits until this turn has sent what it is for. */
  private arm(): void {
    const { clock } = this.options;
    const leftMs = Pace.busyMs - (clock.nowMs() - this.lastMs);
    this.between?.cancel();
    this.between = clock.after(Math.max(0, leftMs), () => this.beat());
  }
}
