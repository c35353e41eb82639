/**
 * A large value is kept beside the log, in chunks that are never changed, and a reference travels in its place: wherever
 * a value may be, in records, messages and answers. Its first byte begins no MessagePack value, so that none can be taken
 * for the other.
 *
 * The id of what is stored names the task that it belongs to, so whoever knows the tasks knows what is still needed.
 */
import { type Identity, isToken, TaskId } from "./ids.ts";
import { BLOB_CHUNKS_MAX, VALUE_BYTES_MAX } from "./limits.ts";
import { packr } from "./packr.ts";
import { count, guarded, mismatch, bytes as readBytes, readWire } from "./wire-reader.ts";

/** A token of subjects: the task, whether it is its argument or the result of an attempt, the hour, random characters. */
export type BlobId = string & { readonly [brand]: "BlobId" };
declare const brand: unique symbol;

export type BlobRef = {
  /** Who has stored it: the first token of its sender. */
  readonly identity: Identity;
  readonly id: BlobId;
  /** Of the whole value. */
  readonly bytes: number;
  /** Of each chunk but the last. */
  readonly chunkBytes: number;
  /** SHA-256 of the whole value. */
  readonly digest: Uint8Array;
};

/** What a stored value is to its task: the result of an attempt, or the argument where `attempt` is null. */
export type BlobOwner = { readonly task: TaskId; readonly attempt: number | null };

const TAG = 0xc1;
const DIGEST_BYTES = 32;
const HOUR_MS = 3_600_000;
const BLOB_ID = /^(.{22})-(?:a|r([0-9]{1,15}))-([0-9a-z]{4})[A-Za-z0-9_-]{10}$/;

export const BlobId = {
  create({ task, attempt }: BlobOwner, wallMs: number, token: (length: number) => string): BlobId {
    const hour = Math.floor(wallMs / HOUR_MS)
      .toString(36)
      .padStart(4, "0");
    return `${task}-${attempt === null ? "a" : `r${attempt}`}-${hour}${token(10)}` as BlobId;
  },
  is: (text: string): text is BlobId => isToken(text) && BlobId.read(text) !== null,
  /** Whose it is, and the hour in which its maker began to store it, in milliseconds since 1970; null for no id. */
  read(text: string): (BlobOwner & { readonly hourMs: number }) | null {
    const [, task = "", attempt, hour = ""] = BLOB_ID.exec(text) ?? [];
    if (!TaskId.is(task)) return null;
    return {
      task,
      attempt: attempt === undefined ? null : Number(attempt),
      hourMs: Number.parseInt(hour, 36) * HOUR_MS,
    };
  },
};

/** Whether what is in the place of a value says where the value is. */
export function isBlobRef(value: Uint8Array | null): boolean {
  return value !== null && value[0] === TAG;
}

export function chunkCountOf({ bytes, chunkBytes }: Pick<BlobRef, "bytes" | "chunkBytes">): number {
  return Math.ceil(bytes / chunkBytes);
}

export function encodeBlobRef({ identity, id, bytes, chunkBytes, digest }: BlobRef): Uint8Array {
  const body = packr.pack([identity, id, bytes, chunkBytes, digest]);
  const ref = new Uint8Array(1 + body.length);
  ref[0] = TAG;
  ref.set(body, 1);
  return ref;
}

/** Null for what is no sound reference. */
export function decodeBlobRef(value: Uint8Array): BlobRef | null {
  if (!isBlobRef(value)) return null;
  const read = readWire(value.subarray(1), (wire): BlobRef => {
    const digest = readBytes(wire[4], "digest");
    if (digest.length !== DIGEST_BYTES) mismatch("digest is no SHA-256");
    const ref = {
      identity: guarded<Identity>(wire[0], "identity", isToken),
      id: guarded<BlobId>(wire[1], "id", BlobId.is),
      bytes: count(wire[2], "bytes", VALUE_BYTES_MAX),
      chunkBytes: count(wire[3], "chunk bytes"),
      digest,
    };
    const isInChunks = ref.bytes > 0 && ref.chunkBytes > 0 && chunkCountOf(ref) <= BLOB_CHUNKS_MAX;
    return isInChunks ? ref : mismatch("a size that no value has");
  });
  return read.ok ? read.value : null;
}
