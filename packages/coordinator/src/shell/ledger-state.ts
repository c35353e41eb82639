/** What the shell knows of the ledger as a whole: how it comes back from a checkpoint. */
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
