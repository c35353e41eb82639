/** What the bench asks of the process that appends. */

export type AppenderContract = {
  readonly append: (order: {
    readonly count: number;
    readonly bytes: number;
    /** Appends that wait for their acknowledgement at once. */
    readonly inFlight: number;
  }) => Promise<{
    /** From the first append until the last acknowledgement. */
    readonly ms: number;
    /** From an append until its acknowledgement. */
    readonly p50: number;
    readonly p99: number;
  }>;
};
