/** What the bench asks of the client process of a contender. */

export type Order = {
  readonly count: number;
  /** Bytes of each task's argument. */
  readonly bytes: number;
  /** Tasks that are submitted together; 1: each by a call of its own. */
  readonly perCall: number;
  /** Tasks whose outcome is not known yet, at most; null: all that there are. */
  readonly unsettledMax: number | null;
};

export type Run = {
  /** From the first call until every task has settled. */
  readonly ms: number;
  /** From the call until the client knew of the outcome, per task. */
  readonly p50: number;
  readonly p99: number;
};

export type ClientContract = { readonly run: (order: Order) => Promise<Run> };

/** Gathers a run: when each task was submitted and settled. */
export class Stopwatch {
  private readonly submittedMs: Float64Array;
  private readonly tookMs: Float64Array;
  private readonly now: () => number;
  private submitted = 0;
  private settled = 0;
  /** Waits for this many to be unsettled, or less. */
  private waiting: { readonly most: number; readonly resolve: () => void } | null = null;
  private readonly done: PromiseWithResolvers<void> = Promise.withResolvers<void>();

  constructor(count: number, now: () => number) {
    this.submittedMs = new Float64Array(count);
    this.tookMs = new Float64Array(count);
    this.now = now;
  }

  submit(index: number): void {
    this.submittedMs[index] = this.now();
    this.submitted++;
  }

  settle(index: number): void {
    this.tookMs[index] = this.now() - (this.submittedMs[index] ?? Number.NaN);
    if (++this.settled === this.tookMs.length) this.done.resolve();
    if (this.waiting === null || this.unsettled > this.waiting.most) return;
    this.waiting.resolve();
    this.waiting = null;
  }

  get unsettled(): number {
    return this.submitted - this.settled;
  }

  /** Resolves when so many more may be submitted. */
  async room(tasks: number, unsettledMax: number | null): Promise<void> {
    if (unsettledMax === null || this.unsettled + tasks <= unsettledMax) return;
    await new Promise<void>((resolve) => {
      this.waiting = { most: unsettledMax - tasks, resolve };
    });
  }

  async result(): Promise<Run> {
    await this.done.promise;
    const ms = this.now() - (this.submittedMs[0] ?? Number.NaN);
    const sorted = this.tookMs.toSorted();
    const at = (share: number): number => sorted[Math.ceil(sorted.length * share) - 1] ?? Number.NaN;
    return { ms, p50: at(0.5), p99: at(0.99) };
  }
}

/** An argument of about so many bytes in any encoding. */
export function argumentOf(bytes: number): string {
  return "x".repeat(bytes);
}
