/**
 * Which records the leader should carry values from, so that the log can be purged beyond them. Only what pays: what is
 * written anew is a fraction of what can then be purged, and that is more than a little.
 */
import { type Needed, neededValues } from "./needed.ts";
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

/** In the order of the log, so that the next call goes on where this one ends. Empty where it does not pay. */
export function planCarries(ledger: LedgerState, facts: CarryFacts): number[] {
  const records = new Set<number>();
  let firstSeq: number | null = null;
  let bytes = 0;
  let looked = 0;
  let pays = false;
  const freed = (seq: number): number =>
    (Math.min(seq, facts.purgeableSeq) - (firstSeq ?? seq)) * facts.recordBytes;
  const judge = (seq: number, carriedBytes: number): void => {
    pays ||= freed(seq) >= Math.max(facts.freedBytesMin, WORTH * carriedBytes);
  };
  for (const needed of neededValues(ledger)) {
    const { seq } = needed;
    // Where all that is needed of the whole log is little, there is no need to look at it one by one.
    if (firstSeq === null) {
      firstSeq = seq;
      judge(facts.purgeableSeq, bytesNeeded(ledger));
    } else if (!records.has(seq)) judge(seq, bytes);
    if (seq >= facts.purgeableSeq || looked >= LOOK_MAX) return pays ? [...records] : [];
    if (bytes < facts.carriedBytesMax) records.add(seq);
    else if (pays) return [...records];
    bytes += bytesOf(needed);
    looked += needed.count;
  }
  judge(facts.purgeableSeq, bytes);
  return pays ? [...records] : [];
}

function bytesOf({ count, bytes }: Needed): number {
  return bytes + count * ITEM_BYTES;
}
