/**
 * Finds out that the event loop has stood still: blocked by a task's code, or with the whole process. Meanwhile the leader
 * may have taken back what had not begun here, and given it to others; the word of that waits unread. So nothing is begun
 * after a stall before the leader has been asked.
 */
import type { Clock, Timer } from "@weft/transport";

export type StallOptions = {
  readonly clock: Clock;
  /** Resolves when the leader has been asked and all that it had to say is here, or there is nobody to ask. */
  readonly ask: () => Promise<void>;
  /** Work may begin again. */
  readonly onOver: () => void;
};

/** Together with its presence. */
const TURN_MS = 1_000;
/** Less than the 5 s after which a leader takes back what a blocked worker has not begun. */
const STALL_MS = 4_000;

export class Stall {
  private readonly options: StallOptions;
  private readonly timer: Timer;
  private turnedAtMs: number;
  private asking = false;

  constructor(options: StallOptions) {
    this.options = options;
    this.turnedAtMs = options.clock.nowMs();
    this.timer = options.clock.every(TURN_MS, () => this.turn(options.clock.nowMs()));
  }

  /** Whether nothing may begin now, which is at `nowMs`. */
  isHolding(nowMs: number): boolean {
    this.turn(nowMs);
    return this.asking;
  }

  close(): void {
    this.timer.cancel();
  }

  private turn(nowMs: number): void {
    const stalledMs = nowMs - this.turnedAtMs;
    this.turnedAtMs = nowMs;
    if (stalledMs < STALL_MS || this.asking) return;
    this.asking = true;
    this.options.ask().then(
      () => this.over(),
      () => this.over(),
    );
  }

  private over(): void {
    this.asking = false;
    this.options.onOver();
  }
}
