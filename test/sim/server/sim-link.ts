/**
 * The wire between one process and the simulated server. Both ways keep their order; a wire that is cut loses what is on
 * it, and neither side is told.
 */
import type { Dice, SimLoop } from "@weft/testing/simulation";

export type SimLinkOptions = {
  readonly loop: SimLoop;
  readonly dice: Dice;
  readonly delayMsMax: number;
};

export class SimLink {
  private readonly options: SimLinkOptions;
  private isUp = true;
  /** Rises with each cut: what was sent before it never arrives. */
  private generation = 0;
  private lastUpMs = 0;
  private lastDownMs = 0;

  constructor(options: SimLinkOptions) {
    this.options = options;
  }

  get works(): boolean {
    return this.isUp;
  }

  cut(): void {
    this.isUp = false;
    this.generation++;
  }

  mend(): void {
    this.isUp = true;
    this.generation++;
  }

  toServer(arrive: () => void): void {
    this.lastUpMs = this.send(this.lastUpMs, arrive);
  }

  toProcess(arrive: () => void): void {
    this.lastDownMs = this.send(this.lastDownMs, arrive);
  }

  private send(lastMs: number, arrive: () => void): number {
    const { loop, dice, delayMsMax } = this.options;
    if (!this.isUp) return lastMs;
    const { generation } = this;
    const atMs = Math.max(lastMs, loop.nowMs + 0.05 + dice.next() * dice.next() * delayMsMax);
    loop.after(atMs - loop.nowMs, () => {
      if (generation === this.generation) arrive();
    });
    return atMs;
  }
}
