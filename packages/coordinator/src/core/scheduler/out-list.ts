/** What is out at a worker, in the order in which it went there. */
import type { LiveTask } from "../ledger/index.ts";
import type { WorkerEntry } from "./worker-entry.ts";

/** An attempt out at a worker. */
export type Out = {
  readonly task: LiveTask;
  readonly worker: WorkerEntry;
  readonly attempt: number;
  /** The message that took it there; null while it is in none yet. */
  message: number | null;
  /** When it was first seen among those that run, by the leader's own clock; null before. */
  begunAtMs: number | null;
  /** The log has been told that it ran out of time. */
  isExpired: boolean;
  /** Its neighbours in the list. */
  before: Out | null;
  after: Out | null;
};

/** Linked, as each leaves from where it is: a set does the same, and takes 55 ns for a task in place of 24. */
export class OutList implements Iterable<Out> {
  private first: Out | null = null;
  private last: Out | null = null;
  private count = 0;

  get size(): number {
    return this.count;
  }

  /** Behind all others; it is in no list. */
  add(out: Out): void {
    out.before = this.last;
    if (this.last === null) this.first = out;
    else this.last.after = out;
    this.last = out;
    this.count++;
  }

  /** It is in this list. */
  delete(out: Out): void {
    const { before, after } = out;
    if (before === null) this.first = after;
    else before.after = after;
    if (after === null) this.last = before;
    else after.before = before;
    out.before = null;
    out.after = null;
    this.count--;
  }

  /** The one at hand may be deleted meanwhile. */
  *[Symbol.iterator](): Iterator<Out> {
    for (let out = this.first; out !== null; ) {
      const { after } = out;
      yield out;
      out = after;
    }
  }
}
