/**
 * Time by which somebody else's silence is measured: it runs only while this process runs and its own connection works. A
 * process that was paused, or cut off, has heard nobody, and must not hold that against them.
 */
import type { Clock, Timer } from "./clock.ts";
import type { Pace } from "./pace.ts";

export type AwakeTimeOptions = {
  readonly clock: Pick<Clock, "nowMs">;
  /** It steps when it is read; in between often enough that no time awake is taken for a pause. */
  readonly pace: Pick<Pace, "onBeat" | "periodMs">;
  /** Whether this process hears what others say. */
  readonly hears: () => boolean;
};

/** So much later than it was to be a step may come. What lies between two beyond that was a pause of this process, not of the others. */
const LATE_MS = 100;

export class AwakeTime {
  private readonly options: AwakeTimeOptions;
  private readonly timer: Timer;
  private steppedAtMs: number;
  private stepMaxMs: number;
  private awakeMs = 0;

  constructor(options: AwakeTimeOptions) {
    this.options = options;
    this.steppedAtMs = options.clock.nowMs();
    this.stepMaxMs = options.pace.periodMs + LATE_MS;
    this.timer = options.pace.onBeat(() => this.step());
  }

  /** Milliseconds awake; only differences mean something. */
  get nowMs(): number {
    this.step();
    return this.awakeMs;
  }

  close(): void {
    this.timer.cancel();
  }

  private step(): void {
    const { clock, pace, hears } = this.options;
    const nowMs = clock.nowMs();
    const stepMs = Math.min(nowMs - this.steppedAtMs, this.stepMaxMs);
    this.steppedAtMs = nowMs;
    this.stepMaxMs = pace.periodMs + LATE_MS;
    if (hears()) this.awakeMs += stepMs;
  }
}
