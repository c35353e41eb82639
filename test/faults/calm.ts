/** What is broken right now, and whether what was is as before. Pure. */

/** How the cluster looks from outside. */
export type Condition = {
  /** Null where the log's stream has no leader among the nodes, or none that answers. */
  readonly log: { readonly bytes: number; readonly bytesMax: number } | null;
  /** From the submit of a task until it had its result; null where it had none in time. */
  readonly taskMs: number | null;
};

/** A task that takes longer waits for something. */
const PROMPT_BELOW_MS = 1_000;
/** Above this share of the log's limit clients hold back new tasks. */
const FULL_ABOVE = 0.8;

/**
 * Nobody is struck twice at once, and a figure is one of a single fault only where nothing else
 * was broken from its beginning to its end.
 */
export class Calm {
  private readonly broken = new Set<string>();
  private begun = 0;

  isBroken(title: string): boolean {
    return this.broken.has(title);
  }

  get brokenTitles(): readonly string[] {
    return [...this.broken];
  }

  /** Those of them that nothing is the matter with. */
  sound<T extends { readonly title: string }>(parties: readonly T[]): readonly T[] {
    return parties.filter(({ title }) => !this.broken.has(title));
  }

  /** Breaks it until the work is over. */
  async during(title: string, work: () => Promise<void>): Promise<void> {
    this.begun++;
    this.broken.add(title);
    try {
      await work();
    } finally {
      this.broken.delete(title);
    }
  }

  /** Why the cluster is not yet as it was before it was struck; null where it is. */
  unrest({ log, taskMs }: Condition): string | null {
    if (this.broken.size > 0) return `broken: ${this.brokenTitles.join(", ")}`;
    if (log === null) return "the log has no leader among the NATS nodes";
    if (log.bytesMax > 0 && log.bytes > log.bytesMax * FULL_ABOVE)
      return `the log is full: ${log.bytes} of ${log.bytesMax} bytes`;
    if (taskMs === null) return "a task did not come back";
    return taskMs < PROMPT_BELOW_MS ? null : `a task took ${Math.round(taskMs)} ms`;
  }

  /** To be called before the fault; what it returns tells whether that was the only one since. */
  watch(): () => boolean {
    const wasCalm = this.broken.size === 0;
    const { begun } = this;
    return () => wasCalm && this.begun <= begun + 1;
  }
}
