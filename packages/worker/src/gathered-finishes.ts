/**
 * Outcomes of code that computes in threads and processes of its own, on their way to the log. Each record of them wakes
 * the server, the leader, the client and this worker again, whose code the processor's caches do not hold while tasks
 * compute: on a machine that they share, that takes time from the tasks. So outcomes that come soon after one another leave together.
 *
 * G1 An outcome waits only while more is queued here: nothing stands still for it, and what is queued waits for longer.
 * G2 It waits for `GATHER_MS` at most.
 * G3 Where outcomes come rarely none waits: there is nothing to gain.
 */
import type { Clock, Timer } from "@weft/transport";
import type { FinishItem } from "./finish-item.ts";

/** A tenth of what a worker holds ready beyond its slots, in time. */
const GATHER_MS = 5;
/** Between two outcomes, where they come often: more than they wait, as they do not come evenly. */
const OFTEN_MS = 20;

export type GatheredFinishesOptions = {
  readonly clock: Clock;
  /** Whether something waits here for a slot. */
  readonly isSupplied: () => boolean;
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
    const { clock } = this.options;
    const nowMs = clock.nowMs();
    const isOften = nowMs - this.addedAtMs <= OFTEN_MS;
    this.addedAtMs = nowMs;
    this.gathered.push(item);
    if (isOften) this.timer ??= clock.after(GATHER_MS, () => this.release());
    else this.release();
  }

  /** Something was taken from the queue: what has gathered leaves where that was the last. */
  review(): void {
    if (this.gathered.length > 0 && !this.options.isSupplied()) this.release();
  }

  /** What has gathered leaves at once. */
  release(): void {
    this.timer?.cancel();
    this.timer = null;
    const { gathered } = this;
    this.gathered = [];
    for (const item of gathered) this.options.append(item);
  }
}
