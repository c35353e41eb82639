/**
 * What is broken right now. Nobody is struck twice at once, and a figure is one of a single fault only where nothing else
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

  /** To be called before the fault; what it returns tells whether that was the only one since. */
  watch(): () => boolean {
    const wasCalm = this.broken.size === 0;
    const { begun } = this;
    return () => wasCalm && this.begun <= begun + 1;
  }
}
