/**
 * The ledger's clock. Only control records move it, each by two clocks: JetStream's, which stamps the record, and the
 * leader's own. One of them that is wrong cannot move it far.
 *
 * T1 It goes on by what JetStream's clock did since the control record before, but not by more than 2 s; by more, as after a
 *    pause in which nobody led, only as far as both clocks did.
 * T2 Where it is behind what both clocks say it makes that good slowly: what is set for a moment comes early by an eighth of
 *    its time at most. So a clock that was wrong and is set right lets nothing come due at once. By more than a day it was
 *    not set at all, as on a machine that begins in 1970: then it goes where both are.
 */
import type { StateReader } from "../codec/state-reader.ts";
import type { StateWriter } from "../codec/state-writer.ts";

const STEP_MAX_MS = 2_000;
const CATCH_UP_SHARE = 8;
const BEHIND_MAX_MS = 24 * 3_600_000;

export class LedgerClock {
  nowMs = 0;
  /** Of the last control record; null before the first. */
  private lastStampMs: number | null = null;
  private lastWallMs = 0;

  /** False until the first control record: times before it mean nothing. */
  get started(): boolean {
    return this.lastStampMs !== null;
  }

  /** Moves it, and answers where it was. */
  advance(stampMs: number, wallMs: number): number {
    const before = this.nowMs;
    const bothMs = Math.min(stampMs, wallMs);
    if (this.lastStampMs === null) this.nowMs = bothMs;
    else {
      const sinceStampMs = stampMs - this.lastStampMs;
      const stepMs = Math.min(STEP_MAX_MS, Math.max(0, sinceStampMs));
      const nextMs = before + Math.max(stepMs, Math.min(sinceStampMs, wallMs - this.lastWallMs));
      const behindMs = Math.max(0, bothMs - nextMs);
      const madeGoodMs = behindMs > BEHIND_MAX_MS ? behindMs : Math.floor(stepMs / CATCH_UP_SHARE);
      this.nowMs = nextMs + Math.min(behindMs, madeGoodMs);
    }
    this.lastStampMs = stampMs;
    this.lastWallMs = wallMs;
    return before;
  }

  save(to: StateWriter): void {
    to.count(this.nowMs);
    to.countOrNull(this.lastStampMs);
    to.count(this.lastWallMs);
  }

  load(from: StateReader): void {
    this.nowMs = from.count();
    this.lastStampMs = from.countOrNull();
    this.lastWallMs = from.count();
  }
}
