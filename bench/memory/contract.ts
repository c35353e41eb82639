/** What the bench asks of the process whose memory is measured. */

export type MeasuredState = "waiting" | "ready" | "settled";

export type Measured = {
  /** Of the heap and of what arrays hold beside it. */
  readonly bytesPerTask: number;
  readonly foldMs: number;
  readonly encodeMs: number;
  readonly checkpointBytesPerTask: number;
  readonly decodeMs: number;
  /** As above, of a ledger that was read from a checkpoint. */
  readonly decodedBytesPerTask: number;
};

export type HolderContract = {
  /** Folds so many tasks of a state, and goes through a checkpoint with them. Asked once: what was before would count. */
  readonly measure: (order: { readonly state: MeasuredState; readonly tasks: number }) => Measured;
};
