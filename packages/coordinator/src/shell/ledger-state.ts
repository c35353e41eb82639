/** What the shell knows of the ledger as a whole: how it comes back from a checkpoint, and what it still needs of the log. */
import { FOLD_VERSION } from "@weft/protocol";
import { LedgerDecoder, STATE_FORMAT } from "../core/codec/ledger-codec.ts";
import type { Ledger, LedgerConfig } from "../core/ledger/index.ts";

/** Whether this code can go on from a state that was written under these versions. */
export function isReadable(state: { readonly format: number; readonly foldVersion: number }): boolean {
  return state.format === STATE_FORMAT && state.foldVersion <= FOLD_VERSION;
}

export async function decodeLedger(config: LedgerConfig, chunks: AsyncIterable<Uint8Array>): Promise<Ledger> {
  const decoder = new LedgerDecoder(config);
  for await (const chunk of chunks) decoder.push(chunk);
  return decoder.done();
}

/**
 * The oldest record that somebody may still ask the log for: arguments of live tasks, values of settled ones. Both are kept
 * in the order of those records.
 */
export function oldestNeededSeq(ledger: Ledger): number {
  let oldest = ledger.seq + 1;
  for (const { submitted } of ledger.live.values()) {
    oldest = submitted.seq;
    break;
  }
  for (const { finish } of ledger.settled.values()) {
    if (finish !== null) return Math.min(oldest, finish.seq);
  }
  return oldest;
}
