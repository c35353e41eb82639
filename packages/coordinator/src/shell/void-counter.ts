/** Counts what was void, by kind, and logs the first of each kind: a sender that repeats a mistake cannot flood a log. */
const KINDS_MAX = 200;
const OVERFLOW = "other kinds";

export class VoidCounter {
  private readonly counts = new Map<string, number>();
  private readonly log: (line: string) => void;

  constructor(log: (line: string) => void) {
    this.log = log;
  }

  count(kind: string): void {
    const known = this.counts.get(kind);
    if (known === undefined && kind !== OVERFLOW && this.counts.size >= KINDS_MAX)
      return this.count(OVERFLOW);
    if (known === undefined) this.log(`void: ${kind} (further ones are counted, not logged)`);
    this.counts.set(kind, (known ?? 0) + 1);
  }

  all(): Readonly<Record<string, number>> {
    return Object.fromEntries(this.counts);
  }
}
