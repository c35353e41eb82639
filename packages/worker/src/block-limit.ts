/**
 * When to end a process whose event loop is blocked: inline code had to let go of it, has not, and nobody else can make it.
 *
 * The process is given some time beyond that, in which the leader, which cannot ask it, ends the attempt as timed out: so
 * that the task's time limit and retry policy decide what becomes of it. Measured in time that this thread itself ran: a
 * process that was paused as a whole is given the time to see to it itself.
 */
import type { AttemptRef } from "@weft/protocol";
import type { Listed } from "./begun-table.ts";

const NANOS_PER_MS = 1_000_000n;
const STEP_MAX_MS = 1_500;
/** More than a leader takes to end an attempt whose worker does not see to it. */
const BEYOND_MS = 5_000;

export class BlockLimit {
  private steppedAtNs: bigint;
  private overdueMs = 0;

  constructor(nowNs: bigint) {
    this.steppedAtNs = nowNs;
  }

  /** The attempt for which the process must end now; null where it goes on. */
  step(nowNs: bigint, turnedAtNs: bigint, begun: readonly Listed[]): AttemptRef | null {
    const stepMs = Math.min(Number((nowNs - this.steppedAtNs) / NANOS_PER_MS), STEP_MAX_MS);
    this.steppedAtNs = nowNs;
    // Where the event loop has turned since, the worker has done what can be done.
    const overdue = begun.find(({ limitNs }) => limitNs > 0n && turnedAtNs < limitNs && limitNs <= nowNs);
    this.overdueMs = overdue === undefined ? 0 : this.overdueMs + stepMs;
    return overdue !== undefined && this.overdueMs >= BEYOND_MS ? overdue : null;
  }
}
