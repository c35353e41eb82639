/**
 * How long settled tasks are kept. They leave after the retention, or once a budget is exceeded, the oldest first, but never
 * within the least retention. What a live task depends on is pinned, and stays for as long as that is.
 *
 * R1 Only control records make tasks leave, and each of them a bounded number.
 * R2 A live task holds one pin on each of its dependencies that is settled, as often as it names it.
 */
import { type LedgerSettings, TaskId } from "@weft/protocol";
import type { Evicted } from "../settled/settled-index.ts";
import { freeIfReceived } from "./received.ts";
import type { LedgerState } from "./state.ts";
import type { LiveTask, Living } from "./task.ts";

const HOUR_MS = 3_600_000;

/** Until a leader says otherwise. */
export const DEFAULT_SETTINGS: LedgerSettings = {
  retentionMs: 24 * HOUR_MS,
  retentionMinMs: 600_000,
  settledTasksMax: 1_000_000,
  resultBytesMax: 0,
  logBytesMax: 0,
};

/** With two ticks a second this is far above the rate at which tasks settle. */
const EVICTIONS_MAX = 20_000;
/** While nobody leads the clock stands still: what settled in a longer pause has not settled at its beginning. */
const PAUSE_MS = 60_000;
/**
 * A sender whose last record is as old may be forgotten (`Senders`): from then on nothing but the hour in its id keeps a
 * task that has left from being taken for a new one. An hour on top of the hour that ids tell.
 */
export const SENDER_MEMORY_MS: number = 2 * HOUR_MS;

export function evict(ledger: LedgerState): void {
  const { settled } = ledger;
  for (let left = EVICTIONS_MAX; left > 0; left--) {
    const settledAtMs = settled.oldestSettledAtMs();
    if (settledAtMs === null || !mayLeave(ledger, ledger.clock.nowMs - settledAtMs)) return;
    uncarry(ledger, settled.evictOldest());
    ledger.expiredToMs = settledAtMs;
  }
}

function mayLeave({ settled, settings }: LedgerState, ageMs: number): boolean {
  const { retentionMs, retentionMinMs, settledTasksMax, resultBytesMax } = settings;
  if (ageMs >= retentionMs) return true;
  if (ageMs < retentionMinMs) return false;
  return isOver(settled.size, settledTasksMax) || isOver(settled.valueBytes, resultBytesMax);
}

function isOver(size: number, most: number): boolean {
  return most > 0 && size > most;
}

/** The clock has moved on from there: after a pause what settled in it settles now, so that it is not old at once. */
export function restamp(ledger: LedgerState, beforeMs: number): void {
  const { nowMs } = ledger.clock;
  if (nowMs - beforeMs >= PAUSE_MS) ledger.settled.restamp(beforeMs, nowMs);
}

/** What a task takes in the log beside its arguments or its value: its id, its place, its kind. */
export const ITEM_BYTES = 48;

/** Of the log, what is needed: by tasks that are not over, and for results that are kept. */
export function bytesNeeded({ live, settled, argsBytes }: LedgerState): number {
  return argsBytes + settled.valueBytes + (live.size + settled.size) * ITEM_BYTES;
}

/** Half of the log is for what is needed; the other half is what is needed no more, until it is purged. */
export function isLogFull(ledger: LedgerState): boolean {
  const { logBytesMax } = ledger.settings;
  return logBytesMax > 0 && 2 * bytesNeeded(ledger) > logBytesMax;
}

/** What lives is not settled: it is pinned when it settles, once for all who name it. */
export function pinDependencies({ settled }: LedgerState, { dependencies }: LiveTask, living: Living): void {
  for (let at = 0; at < dependencies.length; at++) {
    const id = dependencies[at];
    if (id !== undefined && living[at] === undefined) settled.pin(id);
  }
}

export function unpinDependencies(ledger: LedgerState, task: LiveTask): void {
  for (const id of task.dependencies) {
    uncarry(ledger, ledger.settled.unpin(id));
    if (ledger.received.size > 0) freeIfReceived(ledger, id);
  }
}

/** K2 (`carry.ts`): its value is needed no more. */
function uncarry({ carried }: LedgerState, evicted: Evicted | null): void {
  if (evicted !== null && carried.size > 0) carried.drop(evicted.valueSeq, evicted.valueBytes);
}

/** Of an id that is not known: nobody has submitted it, or it has left. Ids tell the hour of their making, no more. */
export function mayHaveExpired(ledger: LedgerState, id: TaskId): boolean {
  return TaskId.hourMs(id) <= ledger.expiredToMs;
}

/** The same, without doubt: whoever made that id has long had the time to submit it. */
export function hasExpired(ledger: LedgerState, id: TaskId): boolean {
  const hourMs = TaskId.hourMs(id);
  return hourMs <= ledger.expiredToMs && hourMs <= ledger.clock.nowMs - SENDER_MEMORY_MS;
}
