/**
 * How many attempts a worker offers to hold: its slots, and as many beyond them as its line needs (line-length.ts). Tasks of microseconds would otherwise run a few per round trip; long ones should not wait here while other
 * workers are free. Pure.
 *
 * P1 It grows only by what was finished, at most fourfold at once, and never beyond what is set, a number and a size.
 * P2 It shrinks by half at most in each step, so that a pause of the process gives nothing away that it could run soon.
 */
import { lineLength } from "./line-length.ts";

const GROWTH = 4;
/** Attempts of a round after which growth is considered, in credits: sooner, a burst would be taken for a rate. */
const ROUNDS = 2;
/** The time after which it is considered in any case. */
const RATE_MS = 100;
/** Where tasks end so fast that more is offered than the least, a loss of less than this part of it is taken for chance. */
const CHANGE_SHARE = 1 / 4;
const PREFETCH_MAX = 4_096;
/** Of all arguments and dependency values that wait here. */
const PREFETCH_BYTES_MAX = 16 * 1024 * 1024;

export type PrefetchOptions = {
  readonly slots: number;
  /** Attempts beyond the slots, whatever the rate; null to find it out. */
  readonly fixed: number | null;
};

export class Prefetch {
  /** The most that are ever offered. */
  readonly creditsMax: number;
  private readonly slots: number;
  private readonly least: number;
  private readonly most: number;
  private prefetch: number;
  private finishedCount = 0;
  private apartCount = 0;
  private sinceMs: number | null = null;
  private takenCount = 0;
  private takenBytes = 0;

  constructor({ slots, fixed }: PrefetchOptions) {
    this.slots = slots;
    this.least = fixed ?? 2 * slots;
    this.most = fixed ?? Math.max(PREFETCH_MAX, this.least);
    this.prefetch = this.least;
    this.creditsMax = slots + this.most;
  }

  /** Slots and prefetch. */
  get credits(): number {
    return this.slots + this.prefetch;
  }

  /** An attempt of so many bytes was assigned. */
  taken(bytes: number): void {
    this.takenCount++;
    this.takenBytes += bytes;
  }

  /** An attempt ended, `isApart` in a thread or a process of its own. True where more are offered from now on. */
  finished(nowMs: number, isApart: boolean): boolean {
    this.sinceMs ??= nowMs;
    this.finishedCount++;
    if (isApart) this.apartCount++;
    if (this.finishedCount < ROUNDS * this.credits && nowMs - this.sinceMs < RATE_MS) return false;
    const wanted = this.wanted(nowMs);
    // What has gathered counts on while it is too slow for more: the step looks at it as a whole.
    if (wanted <= this.prefetch) return false;
    this.prefetch = Math.min(wanted, GROWTH * this.credits);
    this.startCounting(nowMs);
    return true;
  }

  /** To be called a few times each second. True where fewer are offered from now on. */
  step(nowMs: number): boolean {
    const wanted = this.wanted(nowMs);
    this.startCounting(nowMs);
    const isChance = wanted > this.least && wanted > this.prefetch * (1 - CHANGE_SHARE);
    if (isChance || wanted >= this.prefetch) return false;
    this.prefetch = Math.max(wanted, this.prefetch >> 1);
    return true;
  }

  private wanted(nowMs: number): number {
    const elapsedMs = nowMs - (this.sinceMs ?? nowMs);
    const byRate = elapsedMs > 0 ? this.byRate(elapsedMs) : this.least;
    const bytesEach = this.takenCount === 0 ? 0 : this.takenBytes / this.takenCount;
    const bySize = bytesEach === 0 ? this.most : Math.floor(PREFETCH_BYTES_MAX / bytesEach);
    return Math.max(this.least, Math.min(this.most, byRate, bySize));
  }

  private byRate(elapsedMs: number): number {
    return lineLength({ perMs: this.finishedCount / elapsedMs, apartPerMs: this.apartCount / elapsedMs });
  }

  private startCounting(nowMs: number): void {
    this.sinceMs = nowMs;
    this.finishedCount = 0;
    this.apartCount = 0;
    // An average of late: what came long ago counts less and less.
    this.takenCount /= 2;
    this.takenBytes /= 2;
  }
}
