/** When a checkpoint is due, and how far the log may be purged: decided here, done elsewhere. */

export type UpkeepSettings = {
  /** A checkpoint is not written for less than this much log. */
  readonly checkpointBytesMin: number;
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
};

/** Folding what is behind a checkpoint should not take longer than loading it; time bounds it where little happens. */
export function isCheckpointDue(size: LogSize, settings: UpkeepSettings): boolean {
  if (size.foldedSeq <= size.checkpointSeq) return false;
  if (size.bytesBehind > Math.max(size.checkpointBytes, settings.checkpointBytesMin)) return true;
  return size.checkpointAgeMs >= settings.checkpointAgeMaxMs;
}

export type PurgeFacts = {
  /** Those that are whole, the newest first, each with the time since this leader first saw it. */
  readonly checkpoints: readonly { readonly seq: number; readonly ageMs: number }[];
  /** The oldest record that somebody may still ask for. */
  readonly oldestNeededSeq: number;
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
  return Math.min(checkpoint.seq, facts.oldestNeededSeq, facts.lastControlSeq);
}
