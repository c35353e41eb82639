/**
 * The records that values were carried to, the oldest first, and how much of each is still needed. What was never carried
 * lies in the log in the order of age; what was carried is found by this.
 */
import { loadRows, saveRows } from "../codec/rows.ts";
import type { StateReader } from "../codec/state-reader.ts";
import type { StateWriter } from "../codec/state-writer.ts";

/** Values that are still needed, and their bytes. */
export type Share = { count: number; bytes: number };

export class CarriedRecords {
  private readonly bySeq = new Map<number, Share>();

  get size(): number {
    return this.bySeq.size;
  }

  /** Whether values were carried to that record which are still needed. */
  has(seq: number): boolean {
    return this.bySeq.has(seq);
  }

  [Symbol.iterator](): IterableIterator<[seq: number, share: Readonly<Share>]> {
    return this.bySeq[Symbol.iterator]();
  }

  /** A value was carried to the record, which is the newest. */
  add(seq: number, bytes: number): void {
    const share = this.bySeq.get(seq);
    if (share === undefined) this.bySeq.set(seq, { count: 1, bytes });
    else {
      share.count++;
      share.bytes += bytes;
    }
  }

  /** A value that is there is needed no more, or carried on. Of any other record it is nothing to know. */
  drop(seq: number, bytes: number): void {
    const share = this.bySeq.get(seq);
    if (share === undefined) return;
    share.count--;
    share.bytes -= bytes;
    if (share.count === 0) this.bySeq.delete(seq);
  }

  *save(to: StateWriter): Generator<void> {
    yield* saveRows(to, this.bySeq, this.bySeq.size, ([seq, { count, bytes }]) => {
      to.count(seq);
      to.count(count);
      to.count(bytes);
    });
  }

  *load(from: StateReader): Generator<void> {
    yield* loadRows(
      from,
      () => void this.bySeq.set(from.count(), { count: from.count(), bytes: from.count() }),
    );
  }
}
