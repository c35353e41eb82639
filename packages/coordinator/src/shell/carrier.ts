/** Carries values that hold up the purge of the log to its end: reads them, and has them appended by the leader. */
import { type Carried, RECORD_BYTES_TARGET, RECORD_ITEMS_MAX } from "@weft/protocol";
import type { Clock } from "@weft/transport";
import { type CarryFacts, ITEM_BYTES, type Ledger, neededOf, planCarries } from "../core/ledger/index.ts";
import type { ValueStore } from "./value-store.ts";

export type CarrierOptions = {
  readonly clock: Clock;
  readonly ledger: Ledger;
  readonly values: Pick<ValueStore, "record">;
  /** Appends them in one record of the leader. Resolves when it is folded, or when this one leads no more. */
  readonly append: (carried: readonly Carried[]) => Promise<void>;
};

export class Carrier {
  private readonly options: CarrierOptions;
  /** Where values were carried from, and when. What leaders before this one have carried is older than its first look at a checkpoint. */
  private recent: { readonly fromSeq: number; readonly atMs: number }[] = [];

  constructor(options: CarrierOptions) {
    this.options = options;
  }

  /** The oldest record with a value that was carried so lately that a power cut may take away the record it is in now. */
  oldestFreshSeq(ageMinMs: number): number {
    const nowMs = this.options.clock.nowMs();
    this.recent = this.recent.filter(({ atMs }) => nowMs - atMs < ageMinMs);
    return this.recent.reduce((oldest, { fromSeq }) => Math.min(oldest, fromSeq), Number.POSITIVE_INFINITY);
  }

  /** Carries what pays for it. Answers how many values that were. */
  async carry(facts: CarryFacts): Promise<number> {
    const { ledger, values } = this.options;
    let batch: Carried[] = [];
    let batchBytes = 0;
    let bytes = 0;
    let count = 0;
    const flush = async (): Promise<void> => {
      if (batch.length > 0) await this.append(batch);
      count += batch.length;
      batch = [];
      batchBytes = 0;
    };
    for (const seq of planCarries(ledger, facts)) {
      const found = bytes < facts.carriedBytesMax ? await values.record(seq) : null;
      // Purged by another leader: this one is deposed, and will fold that soon.
      if (found === null) break;
      for (const each of neededOf(ledger, seq, found)) {
        const size = ITEM_BYTES + (each.value?.length ?? 0);
        if (batchBytes + size > RECORD_BYTES_TARGET || batch.length >= RECORD_ITEMS_MAX) await flush();
        batch.push(each);
        batchBytes += size;
        bytes += size;
      }
    }
    await flush();
    return count;
  }

  private async append(carried: readonly Carried[]): Promise<void> {
    const fromSeq = carried.reduce((oldest, { seq }) => Math.min(oldest, seq), Number.POSITIVE_INFINITY);
    await this.options.append(carried);
    this.recent.push({ fromSeq, atMs: this.options.clock.nowMs() });
  }
}
