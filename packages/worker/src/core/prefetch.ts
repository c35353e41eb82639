/**
 * How many attempts a worker offers to hold: its slots, and as many beyond them as it finishes in the time that more take
 * to arrive. Tasks of microseconds would otherwise run a few per round trip; long ones should not wait here while other
 * workers are free. Pure.
 *
 * P1 It grows only by what was finished, at most fourfold at once, and never beyond what is set, a number and a size.
 * P2 It shrinks by half at most in each step, so that a pause of the process gives nothing away that it could run soon.
 */

/** What is held beyond the slots lasts for so long, at the rate of late. */
const BUFFER_MS = 50;
const GROWTH = 4;
/** Attempts of a round after which growth is considered, in credits: sooner, a burst would be taken for a rate. */
const ROUNDS = 2;
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

  /** An attempt ended. True where more are offered from now on. */
  finished(nowMs: number): boolean {
    this.sinceMs ??= nowMs;
    this.finishedCount++;
    if (this.finishedCount < ROUNDS * this.credits) return false;
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
    if (wanted >= this.prefetch) return false;
    this.prefetch = Math.max(wanted, this.prefetch >> 1);
    return true;
  }

  private wanted(nowMs: number): number {
    const elapsedMs = nowMs - (this.sinceMs ?? nowMs);
    const byRate = elapsedMs > 0 ? Math.ceil((this.finishedCount / elapsedMs) * BUFFER_MS) : this.least;
    const bytesEach = this.takenCount === 0 ? 0 : this.takenBytes / this.takenCount;
    const bySize = bytesEach === 0 ? this.most : Math.floor(PREFETCH_BYTES_MAX / bytesEach);
    return Math.max(this.least, Math.min(this.most, byRate, bySize));
  }

  private startCounting(nowMs: number): void {
    this.sinceMs = nowMs;
    this.finishedCount = 0;
    // An average of late: what came long ago counts less and less.
    this.takenCount /= 2;
    this.takenBytes /= 2;
  }
}
