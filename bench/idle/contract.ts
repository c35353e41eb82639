/** What the bench asks of the process that listens to everything. */

export type TapContract = {
  /** Messages that were published within so many milliseconds. */
  readonly count: (windowMs: number) => Promise<number>;
};
