/** Lets through what comes, in its order. While it is shut all waits, and goes through behind that before anything newer. */
import type { Clock } from "@weft/transport";

export class Gate<Item extends object> {
  private readonly pass: (item: Item) => void;
  private readonly clock: Pick<Clock, "endOfTurn">;
  private waiting: Item[] = [];
  private shuts = 0;
  /** What waited is on its way through. */
  private isDraining = false;

  constructor(clock: Pick<Clock, "endOfTurn">, pass: (item: Item) => void) {
    this.clock = clock;
    this.pass = pass;
  }

  offer(item: Item): void {
    if (this.shuts > 0 || this.isDraining) this.waiting.push(item);
    else this.pass(item);
  }

  /** Shuts it until what it answers is called, by all who have shut it. */
  shut(): () => void {
    this.shuts++;
    let isOpened = false;
    return () => {
      if (isOpened) return;
      isOpened = true;
      this.shuts--;
      if (this.isDraining) return;
      this.isDraining = true;
      this.drain();
    };
  }

  /** Forgets what waits. */
  clear(): void {
    this.waiting = [];
  }

  /** Some in each turn: whoever else has something to do there does not wait for all of it. */
  private drain(): void {
    for (let left = DRAINED_PER_TURN; left > 0 && this.shuts === 0; left--) {
      const item = this.waiting.shift();
      if (item === undefined) break;
      this.pass(item);
    }
    this.isDraining = this.shuts === 0 && this.waiting.length > 0;
    if (this.isDraining) this.clock.endOfTurn(() => this.drain());
  }
}

/** About a millisecond's worth of full records. */
const DRAINED_PER_TURN = 8;
