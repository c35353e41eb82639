/** Short attempts one after another would keep the event loop from turning: results leave, and cancels arrive, in between. */
import type { Clock } from "@weft/transport";

const TURN_MAX_MS = 1;

export class TurnLimit {
  private readonly clock: Pick<Clock, "endOfTurn">;
  private readonly onNext: () => void;
  /** When the first attempt of this turn began; null before it. */
  private sinceMs: number | null = null;

  /** @param onNext Called in the next turn, after one in which it was asked. */
  constructor(clock: Pick<Clock, "endOfTurn">, onNext: () => void) {
    this.clock = clock;
    this.onNext = onNext;
  }

  /** Whether attempts have begun in this turn for so long that the next has to wait for another. */
  isOver(nowMs: number): boolean {
    if (this.sinceMs !== null) return nowMs - this.sinceMs > TURN_MAX_MS;
    this.sinceMs = nowMs;
    this.clock.endOfTurn(() => {
      this.sinceMs = null;
      this.onNext();
    });
    return false;
  }
}
