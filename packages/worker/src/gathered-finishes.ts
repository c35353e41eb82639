/**
 * Outcomes of code that computes in threads and processes of its own, on their way to the log. Each record of them wakes
 * the server, the leader, the client and this worker again, whose code the processor's caches do not hold while tasks
 * compute: on a machine that they share, that takes time from the tasks. So outcomes that come soon after one another leave together.
 *
 * G1 Outcomes wait only while more than twice as many tasks are queued here: no slot stands still for them, and what is queued
 *    waits for longer anyway.
 * G2 An outcome waits for `GATHER_MS` at most.
 * G3 Where outcomes come rarely none waits: there is nothing to gain.
 */
import type { Clock, Timer } from "@weft/transport";
import { GATHER_MS, leavesNow } from "./core/gather.ts";
import type { FinishItem } from "./finish-item.ts";

export type GatheredFinishesOptions = {
  readonly clock: Clock;
  /** How many wait here for a slot. */
  readonly queued: () => number;
  readonly append: (item: FinishItem) => void;
};

export class GatheredFinishes {
  private readonly options: GatheredFinishesOptions;
  private gathered: FinishItem[] = [];
  private timer: Timer | null = null;
  private addedAtMs = Number.NEGATIVE_INFINITY;

  constructor(options: GatheredFinishesOptions) {
    this.options = options;
  }

  /** Leaves with those that come soon, where that costs nobody anything. */
  add(item: FinishItem): void {
    const nowMs = this.options.clock.nowMs();
    const gapMs = nowMs - this.addedAtMs;
    this.addedAtMs = nowMs;
    this.gathered.push(item);
    if (this.leavesNow(gapMs)) this.release();
    else this.timer ??= this.options.clock.after(GATHER_MS, () => this.release());
  }

  /** Something was taken from the queue: what has gathered may be too much of what is left there. */
  review(): void {
    if (this.gathered.length > 0 && this.leavesNow(0)) this.release();
  }

  private leavesNow(gapMs: number): boolean {
    return leavesNow({ gathered: this.gathered.length, queued: this.options.queued(), gapMs });
  }

  /** What has gathered leaves at once. */
  release(): void {
    if (this.gathered.length === 0) return;
    this.timer?.cancel();
    this.timer = null;
    const { gathered } = this;
    this.gathered = [];
    for (const item of gathered) this.options.append(item);
  }
}
