/**
 * Which records the leader should carry values from, so that the log can be purged beyond them. Only what pays: what is
 * written anew is a fraction of what can then be purged, and that is more than a little.
 */
import { neededValues } from "./needed.ts";
import { bytesNeeded, ITEM_BYTES } from "./retention.ts";
import type { LedgerState } from "./state.ts";

export type CarryFacts = {
  /** The log could be purged below this record, were nothing of it needed. */
  readonly purgeableSeq: number;
  /** What one record of the log takes, on average. */
  readonly recordBytes: number;
  /** It is not done for less than this much log. */
  readonly freedBytesMin: number;
  /** What may be written at once. */
  readonly carriedBytesMax: number;
};

/** What is purged must be so many times what is carried. */
const WORTH = 4;
/** Values that are looked at to find out whether it pays. */
const LOOK_MAX = 20_000;

/**
 * In the order of the log, so that the next call goes on where this one ends. What is dense behind the last gap stays where
 * it is: to carry it would cost more than it brings. Empty where nothing pays.
 */
export function planCarries(ledger: LedgerState, facts: CarryFacts): number[] {
  const { purgeableSeq, recordBytes, freedBytesMin, carriedBytesMax } = facts;
  const records = new Set<number>();
  let firstSeq: number | null = null;
  let bytes = 0;
  let looked = 0;
  let paying = 0;
  let gainBytes = 0;
  /** What it brings to carry so much, where the next record that is needed is this one; negative where it does not pay. */
  const gain = (seq: number, carriedBytes: number): number => {
    const freed = (Math.min(seq, purgeableSeq) - (firstSeq ?? seq)) * recordBytes;
    return freed < freedBytesMin ? -1 : freed - WORTH * carriedBytes;
  };
  const judge = (seq: number): void => {
    const found = gain(seq, bytes);
    if (found < gainBytes) return;
    gainBytes = found;
    paying = records.size;
  };
  for (const needed of neededValues(ledger)) {
    const { seq } = needed;
    firstSeq ??= seq;
    if (bytes > 0 && !records.has(seq)) judge(seq);
    if (seq >= purgeableSeq) return [...records].slice(0, paying);
    if (bytes < carriedBytesMax) records.add(seq);
    bytes += needed.bytes + needed.count * ITEM_BYTES;
    looked += needed.count;
    if (looked < LOOK_MAX) continue;
    // Too much to look at one by one. All that is needed of the log may still be little of it.
    const isLittle = paying === 0 && gain(purgeableSeq, bytesNeeded(ledger)) >= 0;
    return [...records].slice(0, isLittle ? records.size : paying);
  }
  judge(purgeableSeq);
  return [...records].slice(0, paying);
}
