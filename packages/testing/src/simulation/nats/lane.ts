/** What goes one way between two ends: late, and in the order in which it was sent. */
import type { SimLoop } from "../loop.ts";

export class Lane {
  private readonly loop: SimLoop;
  private readonly queue: (() => void)[] = [];
  private lastAtMs = 0;

  constructor(loop: SimLoop) {
    this.loop = loop;
  }

  get isEmpty(): boolean {
    return this.queue.length === 0;
  }

  send(delayMs: number, act: () => void): void {
    const atMs = Math.max(this.loop.nowMs + delayMs, this.lastAtMs);
    this.lastAtMs = atMs;
    this.queue.push(act);
    // Each event takes the first that waits: a moment that is computed twice may differ in its last digit.
    this.loop.after(atMs - this.loop.nowMs, () => this.queue.shift()?.());
  }
}
