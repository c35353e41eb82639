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

/** It steps when it is read; in between often enough that no time awake is taken for a pause. */
const STEP_MS = 500;
/** What lies between two steps beyond this was a pause of this process, not of the others. */
const STEP_MAX_MS = 600;

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
    this.step();
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
