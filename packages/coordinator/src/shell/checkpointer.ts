/**
 * Writes a checkpoint of what has been folded, by whoever folds: a standby, or the leader where there is none. While the
 * state is copied nothing is folded, and everything else goes on: a chunk is copied in each turn of the event loop.
 */
import { CheckpointFailedError } from "@weft/protocol";
import type { Clock } from "@weft/transport";
import { encodeLedger, STATE_FORMAT } from "../core/codec/ledger-codec.ts";
import type { LedgerState } from "../core/ledger/state.ts";
import type { CheckpointContent, CheckpointStore } from "./checkpoint-store.ts";
import type { LogReader } from "./log-reader.ts";

export type CheckpointerOptions = {
  readonly clock: Pick<Clock, "endOfTurn">;
  readonly ledger: LedgerState;
  /** Whoever hands the records on that are folded into this ledger. */
  readonly reader: Pick<LogReader, "hold" | "point">;
  readonly store: Pick<CheckpointStore, "write">;
};

export class Checkpointer {
  private readonly options: CheckpointerOptions;
  private isClosed = false;

  constructor(options: CheckpointerOptions) {
    this.options = options;
  }

  /** The log is another one than was folded: what has been copied of that is not written to its end. */
  close(): void {
    this.isClosed = true;
  }

  /** Resolves once there is a checkpoint with this record. */
  async write(seq: number): Promise<void> {
    const { ledger, store } = this.options;
    if (ledger.seq < seq) throw new CheckpointFailedError(`record ${seq} is not folded yet`);
    const { chunks, ...content } = await this.copy();
    await store.write({ ...content, chunks: this.taken(chunks) });
  }

  private async copy(): Promise<CheckpointContent & { readonly chunks: Uint8Array[] }> {
    const { clock, ledger, reader } = this.options;
    const goOn = reader.hold();
    try {
      const { point } = reader;
      const { foldVersion } = ledger;
      const chunks: Uint8Array[] = [];
      for (const chunk of encodeLedger(ledger)) {
        chunks.push(chunk);
        await new Promise<void>((next) => clock.endOfTurn(next));
      }
      return { point, foldVersion, format: STATE_FORMAT, chunks };
    } finally {
      goOn();
    }
  }

  /** One after the other, each forgotten as it is taken: together they may be large. */
  private *taken(chunks: Uint8Array[]): Generator<Uint8Array> {
    chunks.reverse();
    for (let chunk = chunks.pop(); chunk !== undefined; chunk = chunks.pop()) {
      if (this.isClosed) throw new CheckpointFailedError("its coordinator stops, or begins anew");
      yield chunk;
    }
  }
}
