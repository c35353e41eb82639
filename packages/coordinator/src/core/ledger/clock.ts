/**
 * The ledger's clock. Only control records move it: now = max(now + clamp(stamp - stamp of the last control record,
 * 0, 2 s), min(stamp, wall)), `stamp` being JetStream's and `wall` the leader's. So one wrong clock cannot move it far.
 */
import type { StateReader } from "../codec/state-reader.ts";
import type { StateWriter } from "../codec/state-writer.ts";

const STEP_MAX_MS = 2_000;

export class LedgerClock {
  nowMs = 0;
  private lastStampMs: number | null = null;

  /** False until the first control record: times before it mean nothing. */
  get started(): boolean {
    return this.lastStampMs !== null;
  }

  /** Moves it, and answers where it was. */
  advance(stampMs: number, wallMs: number): number {
    const before = this.nowMs;
    const since = this.lastStampMs === null ? 0 : stampMs - this.lastStampMs;
    const step = Math.min(STEP_MAX_MS, Math.max(0, since));
    this.nowMs = Math.max(this.nowMs + step, Math.min(stampMs, wallMs));
    this.lastStampMs = stampMs;
    return before;
  }

  save(to: StateWriter): void {
    to.count(this.nowMs);
    to.countOrNull(this.lastStampMs);
  }

  load(from: StateReader): void {
    this.nowMs = from.count();
    this.lastStampMs = from.countOrNull();
  }
}
