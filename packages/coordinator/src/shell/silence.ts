/**
 * How long a leader may be silent, by the time awake of whoever stands by. While nothing lives in the ledger it ticks half as often, and is
 * waited for twice as long: nobody misses it. As soon as something lives it ticks as often as ever, so its silence counts from there: what
 * is submitted to a cluster that was idle waits for the next leader no longer than what is submitted to a busy one.
 */
import { HEARTBEAT_MS } from "./log-reader.ts";

export type LastSigns = {
  /** When a record of the leader was folded last, or whoever stands by began to watch. */
  readonly controlMs: number;
  /** Whether one has been folded since then. Whoever starts a cluster anew, in which nobody leads any more, waits for no more than it would for a busy leader. */
  readonly hasHeard: boolean;
  /** Since when something has lived in the ledger; null while nothing does. */
  readonly aliveSinceMs: number | null;
};

export type Patience = {
  /** A tick that has not come by then is late: is its process there? */
  readonly lateAtMs: number;
  /** The leader is silent. */
  readonly overAtMs: number;
};

/** A tick and its way through the log. */
export const TICK_LATE_MS = 600;
/** As the server of the log tells it then. */
const IDLE_TICK_LATE_MS = HEARTBEAT_MS;
/** Four ticks, here as there. */
export const SILENCE_MAX_MS = 2_000;
const IDLE_SILENCE_MAX_MS = 4_000;

export function patience({ controlMs, hasHeard, aliveSinceMs }: LastSigns): Patience {
  const lateAtMs = controlMs + IDLE_TICK_LATE_MS;
  const overAtMs = controlMs + (hasHeard ? IDLE_SILENCE_MAX_MS : SILENCE_MAX_MS);
  if (aliveSinceMs === null) return { lateAtMs, overAtMs };
  const fromMs = Math.max(controlMs, aliveSinceMs);
  return {
    lateAtMs: Math.min(lateAtMs, fromMs + TICK_LATE_MS),
    overAtMs: Math.min(overAtMs, fromMs + SILENCE_MAX_MS),
  };
}
