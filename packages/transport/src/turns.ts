/** Lets so much be done at once; what comes meanwhile waits, and is done in the order in which it came. */
export class Turns {
  private readonly atOnceMax: number;
  private readonly waiters: (() => void)[] = [];
  private active = 0;

  constructor(atOnceMax: number) {
    this.atOnceMax = atOnceMax;
  }

  /** How many wait. */
  get waiting(): number {
    return this.waiters.length;
  }

  async take<T>(work: () => Promise<T>): Promise<T> {
    if (this.active < this.atOnceMax) this.active++;
    // Whoever ends hands its place over, so that nobody comes in between.
    else await new Promise<void>((turn) => this.waiters.push(turn));
    try {
      return await work();
    } finally {
      const next = this.waiters.shift();
      if (next === undefined) this.active--;
      else next();
    }
  }
}
