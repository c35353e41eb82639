/** What the shell knows of the ledger as a whole: its bytes, what it still needs of the log, how it is compared. */
import { FOLD_VERSION } from "@weft/protocol";
import { Ledger, type LedgerConfig } from "../core/ledger/index.ts";
import { encodeGraph, GRAPH_FORMAT, GraphDecoder } from "./graph-codec.ts";

/** Given to a ledger when it is made, or only of the record before. */
const OMITTED: ReadonlySet<string> = new Set(["config", "effects"]);

export const STATE_FORMAT: number = GRAPH_FORMAT;

/** Whether this code can go on from a state that was written under these versions. */
export function isReadable(state: { readonly format: number; readonly foldVersion: number }): boolean {
  return state.format === STATE_FORMAT && state.foldVersion <= FOLD_VERSION;
}

/** The ledger must not be changed before all of it is taken. */
export function encodeLedger(ledger: Ledger): Iterable<Uint8Array> {
  return encodeGraph(ledger, OMITTED);
}

export async function decodeLedger(config: LedgerConfig, chunks: AsyncIterable<Uint8Array>): Promise<Ledger> {
  const decoder = new GraphDecoder(new Ledger(config));
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
