/** What the bench asks of the client and the worker process of a contender, and what they saw. Times: `monotonicMs`. */

/**
 * `round_trip`: one task after another, each submitted when the result of the one before is there.
 * `handoff`: pairs, the second task depends on the first. `progress`: a task that reports once and goes on for a moment.
 */
export const RUNS = ["round_trip", "handoff", "progress"] as const;
export type Run = (typeof RUNS)[number];

export type Order = {
  readonly run: Run;
  /** The index of the first task (or pair) and how many there are: both ends name them by index. */
  readonly first: number;
  readonly count: number;
};

/** One task, as its client saw it. */
export type ClientSight = {
  readonly index: number;
  /** Names the task in the log. */
  readonly key: string;
  readonly submittedMs: number;
  readonly completedMs: number;
  readonly resultMs: number;
  /** Null where it reports none. */
  readonly progressMs: number | null;
};

export type ClientContract = { readonly run: (order: Order) => Promise<readonly ClientSight[]> };

/** The end of the code of a first task, the start of the code of a second one, a report of progress. */
export type WorkerMoment = "first_ended" | "second_started" | "reported";
export type WorkerSight = { readonly index: number; readonly moment: WorkerMoment; readonly atMs: number };

export type WorkerContract = {
  /** What was seen since the question before. */
  readonly take: () => readonly WorkerSight[] | Promise<readonly WorkerSight[]>;
};

/** How long a task that has reported goes on, so that its end is no part of what is measured. */
export const GO_ON_MS = 1;
