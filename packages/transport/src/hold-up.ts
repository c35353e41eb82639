/**
 * Tells a look at what is overdue whether all of this process was held up until now, as by code that computes on its event
 * loop: what has arrived meanwhile is not read yet, and is read before the next look.
 */
export class HoldUp {
  private readonly lateMs: number;
  private lookedAtMs = 0;
  private wasHeldUp = false;

  /** @param lateMs A look that comes so long after the one before was held up. */
  constructor(lateMs: number) {
    this.lateMs = lateMs;
  }

  /** Looks begin. */
  begin(nowMs: number): void {
    this.lookedAtMs = nowMs;
    this.wasHeldUp = false;
  }

  /** To be asked by each look. Never true twice in a row: a process that is held up again and again looks as well. */
  precedes(nowMs: number): boolean {
    this.wasHeldUp = !this.wasHeldUp && nowMs - this.lookedAtMs >= this.lateMs;
    this.lookedAtMs = nowMs;
    return this.wasHeldUp;
  }
}
