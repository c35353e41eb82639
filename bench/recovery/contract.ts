/** What the bench asks of the processes of a recovery. Times: `monotonicMs`. */

export type FillerContract = {
  /** Fills the log of a new namespace with live tasks, and writes a checkpoint of all of them. */
  readonly fill: (order: { readonly namespace: string; readonly tasks: number }) => Promise<{
    readonly logBytes: number;
    readonly checkpointBytes: number;
    readonly checkpointMs: number;
    /** How long of that no record is folded. */
    readonly heldMs: number;
  }>;
};

export type RecoveredContract = {
  readonly times: () => {
    /** When the process began, before any code of it was loaded. */
    readonly startedMs: number;
    /** It has read the checkpoint and what is behind it. */
    readonly standingByMs: number;
    readonly leadingMs: number;
    /** Of the processor, of all threads, up to there. */
    readonly cpuMs: number;
    readonly heapBytes: number;
  };
};

export type FirstRunContract = {
  /** When the first task began. */
  readonly firstRunMs: () => Promise<number>;
};

export type ProbeContract = {
  /** Submits a task, and tells when its code began. */
  readonly beganMs: () => Promise<number>;
};
