/** When a checkpoint is due, and how far the log may be purged: decided here, done elsewhere. */
import type { StreamInfo } from "@weft/transport";
import type { CarryFacts } from "../core/ledger/index.ts";
import { TICK_MS } from "./leadership.ts";

export type UpkeepSettings = {
  /** A checkpoint is not written, nor a value carried, for less than this much log. */
  readonly checkpointBytesMin: number;
  /** Nor so soon after the one before: what was logged in so short a time is folded in a part of it. */
  readonly checkpointAgeMinMs: number;
  /** With any new record behind the last one, a checkpoint is written after this time. */
  readonly checkpointAgeMaxMs: number;
  /** The log is purged up to a checkpoint that is at least as old: what a power cut may take away is younger. */
  readonly purgeAgeMinMs: number;
};

export type LogSize = {
  /** Where the newest checkpoint stands; 0 where there is none. */
  readonly checkpointSeq: number;
  readonly checkpointBytes: number;
  readonly checkpointAgeMs: number;
  readonly foldedSeq: number;
  /** Bytes of the log behind the newest checkpoint. */
  readonly bytesBehind: number;
  /** What the log may hold; 0 or less for no limit. */
  readonly bytesMax: number;
};

/** So much of a log may be behind its newest checkpoint: it cannot be purged. */
const SHARE_BEHIND_MAX = 4;
/** A log that is so full is purged to the last. */
const PRESSED_ABOVE = 0.5;
/** A log that is so full takes no new tasks: what is left is for those that it has. */
const TIGHT_ABOVE = 0.8;

export function isPressed(bytes: number, bytesMax: number): boolean {
  return bytesMax > 0 && bytes > bytesMax * PRESSED_ABOVE;
}

export function isTight(bytes: number, bytesMax: number): boolean {
  return bytesMax > 0 && bytes > bytesMax * TIGHT_ABOVE;
}

/** Folding what is behind a checkpoint should not take longer than loading it; time bounds it where little happens. */
export function isCheckpointDue(size: LogSize, settings: UpkeepSettings): boolean {
  if (size.foldedSeq <= size.checkpointSeq) return false;
  if (size.bytesMax > 0 && size.bytesBehind > size.bytesMax / SHARE_BEHIND_MAX) return true;
  if (size.checkpointAgeMs >= settings.checkpointAgeMaxMs) return true;
  if (size.checkpointAgeMs < settings.checkpointAgeMinMs) return false;
  return size.bytesBehind > Math.max(size.checkpointBytes, settings.checkpointBytesMin);
}

export type PurgeFacts = {
  /** Those that are whole, the newest first, each with the time since this leader first saw it. */
  readonly checkpoints: readonly { readonly seq: number; readonly ageMs: number }[];
  /** The oldest record that somebody may still ask for. */
  readonly oldestNeededSeq: number;
  /** The oldest with a value that is carried elsewhere, where a power cut may still take it away. */
  readonly oldestFreshSeq: number;
  readonly lastControlSeq: number;
  /** The log is more than half full. */
  readonly isPressed: boolean;
};

/**
 * The first record that stays, 0 where all do. The newest checkpoint that is old enough, but with one before it to fall
 * back upon, as long as there is room for that. Its own record stays, so that it can be seen to be of this log; and the newest control record
 * stays, because without it the server expects another sequence of the next one.
 */
export function firstKept(facts: PurgeFacts, { purgeAgeMinMs }: UpkeepSettings): number {
  const candidates = facts.isPressed ? facts.checkpoints : facts.checkpoints.slice(1);
  const checkpoint = candidates.find(({ ageMs }) => ageMs >= purgeAgeMinMs);
  if (checkpoint === undefined) return 0;
  return Math.min(checkpoint.seq, facts.oldestNeededSeq, facts.oldestFreshSeq, facts.lastControlSeq);
}

/** For how far the log could be purged if nothing of it were needed. */
export const NOTHING_NEEDED: Pick<PurgeFacts, "oldestNeededSeq" | "oldestFreshSeq"> = {
  oldestNeededSeq: Number.POSITIVE_INFINITY,
  oldestFreshSeq: Number.POSITIVE_INFINITY,
};

/** Written at once to carry values: other records of the leader wait for it. */
const CARRIED_BYTES_MAX = 1024 * 1024;
const CARRIED_SHARE = 16;
const FREED_SHARE = 8;

/** In a log with a limit, what is little to carry and what is much to purge is that of the limit. */
export function carryFacts(
  { firstSeq, lastSeq, bytes, bytesMax }: Pick<StreamInfo, "firstSeq" | "lastSeq" | "bytes" | "bytesMax">,
  purgeableSeq: number,
  { checkpointBytesMin }: UpkeepSettings,
): CarryFacts {
  const limit = bytesMax > 0 ? bytesMax : Number.POSITIVE_INFINITY;
  return {
    purgeableSeq,
    recordBytes: bytes / Math.max(1, lastSeq - firstSeq + 1),
    freedBytesMin: Math.min(checkpointBytesMin, limit / FREED_SHARE),
    carriedBytesMax: Math.min(CARRIED_BYTES_MAX, limit / CARRIED_SHARE),
  };
}

/** A log in which nothing happens is looked at so much more seldom: each look is five questions to the server. */
const QUIET_FACTOR = 5;
/** Beside the ticks: what may come earlier or twice. */
const QUIET_RECORDS = 2;

export type SinceLook = {
  /** Since the log was last looked at. */
  readonly ms: number;
  /** What was written to it meanwhile. */
  readonly records: number;
  readonly isPressed: boolean;
};

/** Whether what was written since the last look can be more than ticks, or that is long ago. Asked once a period. */
export function isLookDue({ ms, records, isPressed }: SinceLook, periodMs: number): boolean {
  if (isPressed || records > ms / TICK_MS + QUIET_RECORDS) return true;
  // Nearer to the last of its periods than to the one before: a timer may be early by a little.
  return ms >= (QUIET_FACTOR - 0.5) * periodMs;
}
