/** When the outcomes of code in threads and processes leave for the log. Pure; why they wait is said in gathered-finishes.ts. */

/** The longest that one waits: so long may a dependent elsewhere wait for it, and whoever waits for the result. */
export const GATHER_MS = 100;
/** What has gathered leaves where what is queued is no more than so many times that: until the log has it, it takes room in the line. */
const QUEUED_PER_GATHERED = 2;

export type Gathering = {
  readonly gathered: number;
  /** What waits here for a slot. */
  readonly queued: number;
  /** The time between the last two outcomes. */
  readonly gapMs: number;
};

/** Whether what has gathered leaves now. Where outcomes come rarely none waits: no other would come meanwhile. */
export function leavesNow({ gathered, queued, gapMs }: Gathering): boolean {
  return gapMs > GATHER_MS || QUEUED_PER_GATHERED * gathered >= queued;
}
