/**
 * A point of the log: a sequence, and what the record there was. Sequences alone do not tell one history from another: a
 * stream that lost its tail in a power cut gives the same sequences to other records, or to the same ones in another order:
 * what was not acknowledged is sent again unchanged. So a point is told by its moment, too.
 */
import { createHash } from "node:crypto";
import type { Stream } from "@weft/transport";

export type LogPoint = {
  readonly seq: number;
  /** Of the record at `seq`; null for a beginning, before which nothing counts. */
  readonly digest: string | null;
};

/** Before the first record. */
export const LOG_BEGINNING: LogPoint = { seq: 0, digest: null };

const DIGEST_LENGTH = 32;

type StoredRecord = { readonly subject: string; readonly data: Uint8Array; readonly stampMs: number };

export function digestOf({ subject, data, stampMs }: StoredRecord): string {
  const hash = createHash("sha256").update(`${subject}\n${stampMs}\n`).update(data);
  return hash.digest("hex").slice(0, DIGEST_LENGTH);
}

/**
 * How the stream stands to a point of a history that was folded: it goes on from there (`agrees`); it lacks records behind
 * the point (`purged`); it ends before the point or has another record there (`differs`).
 */
export type Standing = "agrees" | "purged" | "differs";

export async function standingOf(stream: Stream, point: LogPoint): Promise<Standing> {
  const { firstSeq, lastSeq } = await stream.info();
  if (lastSeq < point.seq) return "differs";
  if (firstSeq > point.seq + 1) return "purged";
  // The record itself may be purged while all behind it are there: then nothing is left to compare.
  if (point.digest === null || firstSeq > point.seq) return "agrees";
  const found = await stream.message(point.seq);
  if (found === null) return "purged";
  return digestOf(found) === point.digest ? "agrees" : "differs";
}
