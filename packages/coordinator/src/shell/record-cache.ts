/** Values of the newest records, bounded in bytes and in number: what came first goes first. */
import type { Position } from "../core/ledger/index.ts";
import type { PackedValues } from "./packed-values.ts";

export type RecordCacheBounds = { readonly bytesMax: number; readonly recordsMax: number };

type Entry = {
  readonly values: PackedValues;
  /** Of how many tasks it has something that may have to be sent; infinite where that is not known. */
  needed: number;
};

/** No record has this number. */
const NO_RECENT = { seq: 0, entry: undefined };
/** Bookkeeping of one record. */
const ENTRY_BYTES = 100;
/** Of what it may hold, what is left when it has made room. */
const KEPT_SHARE = 15 / 16;

export class RecordCache {
  private readonly bounds: RecordCacheBounds;
  private readonly entries = new Map<number, Entry>();
  /** Most of what is asked for is in the record that was asked for before. */
  private recent: { readonly seq: number; readonly entry: Entry | undefined } = NO_RECENT;
  private bytes = 0;

  constructor(bounds: RecordCacheBounds) {
    this.bounds = bounds;
  }

  keep(seq: number, values: PackedValues, needed: number = Number.POSITIVE_INFINITY): void {
    this.drop(seq);
    this.entries.set(seq, { values, needed });
    this.recent = NO_RECENT;
    this.bytes += bytesOf(values);
    if (this.isAbove(1)) this.evict();
  }

  private isAbove(share: number): boolean {
    const { bytesMax, recordsMax } = this.bounds;
    return this.bytes > Math.ceil(share * bytesMax) || this.entries.size > Math.ceil(share * recordsMax);
  }

  /**
   * Several at once: who begins to walk a map goes through the places of all that left it. One walk that goes on instead would
   * keep every table that the map has had meanwhile, and where all leave by themselves it never goes on.
   */
  private evict(): void {
    for (const seq of this.entries.keys()) {
      if (!this.isAbove(KEPT_SHARE)) return;
      this.drop(seq);
    }
  }

  /** One task less needs it. */
  release(seq: number): void {
    const entry = this.find(seq);
    if (entry !== undefined && --entry.needed === 0) this.drop(seq);
  }

  /** The value, null where the record has none there, undefined where the record is not here. */
  peek({ seq, index }: Position): Uint8Array | null | undefined {
    return this.find(seq)?.values.at(index);
  }

  private find(seq: number): Entry | undefined {
    if (seq !== this.recent.seq) this.recent = { seq, entry: this.entries.get(seq) };
    return this.recent.entry;
  }

  private drop(seq: number): void {
    const entry = this.entries.get(seq);
    if (entry === undefined) return;
    this.entries.delete(seq);
    this.recent = NO_RECENT;
    this.bytes -= bytesOf(entry.values);
  }
}

function bytesOf(values: PackedValues): number {
  return ENTRY_BYTES + values.bytes;
}
