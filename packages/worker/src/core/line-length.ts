/** How many attempts wait in a worker's line, beyond its slots, by how fast they end. Pure. */

/** What waits lasts for so long: more than others take to arrive. */
const LINE_MS = 50;
/** The same of code in threads and processes, whose outcomes leave together: in a longer line more of them do. */
const APART_LINE_MS = 250;
/** Beyond this a line that is so much longer gains little, and takes work from other workers. */
const APART_LINE_MAX = 64;

export type Rates = {
  /** Attempts that end in a millisecond. */
  readonly perMs: number;
  /** Those of them whose code runs in a thread or a process of its own. */
  readonly apartPerMs: number;
};

export function lineLength({ perMs, apartPerMs }: Rates): number {
  const apart = Math.min(APART_LINE_MAX, Math.ceil(apartPerMs * APART_LINE_MS));
  return Math.max(Math.ceil(perMs * LINE_MS), apart);
}
