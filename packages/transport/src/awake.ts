/**
 * Time by which somebody else's silence is measured: it runs only while this process runs and its own connection works. A
 * process that was paused, or cut off, has heard nobody, and must not hold that against them.
 */
import type { Clock, Timer } from "./clock.ts";

export type AwakeTimeOptions = {
  readonly clock: Clock;
  /** Whether this process hears what others say. */
  readonly hears: () => boolean;
};

const STEP_MS = 50;
/** What lies between two steps beyond this was a pause of this process, not of the others. */
const STEP_MAX_MS = 250;

export class AwakeTime {
  private readonly options: AwakeTimeOptions;
  private readonly timer: Timer;
  private steppedAtMs: number;
  private awakeMs = 0;

  constructor(options: AwakeTimeOptions) {
    this.options = options;
    this.steppedAtMs = options.clock.nowMs();
    this.timer = options.clock.every(STEP_MS, () => this.step());
  }

  /** Milliseconds awake; only differences mean something. */
  get nowMs(): number {
    return this.awakeMs;
  }

  close(): void {
    this.timer.cancel();
  }

  private step(): void {
    const nowMs = this.options.clock.nowMs();
    const stepMs = nowMs - this.steppedAtMs;
    this.steppedAtMs = nowMs;
    if (this.options.hears()) this.awakeMs += Math.min(stepMs, STEP_MAX_MS);
  }
}
