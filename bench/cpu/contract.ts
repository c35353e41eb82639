/** What the bench asks of the process that hands out the work. */

type Work = {
  readonly tasks: number;
  /** Megabytes that each task hashes. */
  readonly megabytes: number;
};

export type CpuClientContract = {
  /** From the first call until every result is here, in milliseconds. */
  readonly run: (work: Work) => Promise<number>;
};

/** The plain threads also find out what there is to do. */
export type CpuLimitContract = CpuClientContract & {
  /** Megabytes that a thread hashes in so many milliseconds, at least one. */
  readonly megabytesIn: (ms: number) => number;
};
