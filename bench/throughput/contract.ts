/** What the bench asks of the client process of a contender. */

export type Order = {
  readonly count: number;
  /** Bytes of each task's argument. */
  readonly bytes: number;
  /** Tasks that are submitted together; 1: each by a call of its own. */
  readonly perCall: number;
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
  private settled = 0;
  private readonly done: PromiseWithResolvers<void> = Promise.withResolvers<void>();

  constructor(count: number, now: () => number) {
    this.submittedMs = new Float64Array(count);
    this.tookMs = new Float64Array(count);
    this.now = now;
  }

  submit(index: number): void {
    this.submittedMs[index] = this.now();
  }

  settle(index: number): void {
    this.tookMs[index] = this.now() - (this.submittedMs[index] ?? Number.NaN);
    if (++this.settled === this.tookMs.length) this.done.resolve();
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
