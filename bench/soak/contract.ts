/** What the bench asks of the processes of a long run. */

export type Held = { readonly heldBytes: number; readonly rssBytes: number };

export type HeldContract = {
  /** What the process holds now, after a collection of garbage. */
  readonly held: () => Held;
};

type Load = { readonly perSecond: number; readonly bytes: number };

export type SoakClientContract = HeldContract & {
  /** Submits tasks at that rate from now on. */
  readonly start: (load: Load) => void;
  /** Submits no more; answers once everything has settled, with how many tasks there were. */
  readonly finish: () => Promise<number>;
};
