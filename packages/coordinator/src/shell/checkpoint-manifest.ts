/**
 * What a checkpoint says of itself, in its last chunk: JSON, so that a person can read it in the stream. It is written
 * after everything else: a checkpoint without it is none.
 */
import { createHash } from "node:crypto";
import type { ControlSecret } from "@weft/protocol";
import type { LogPoint } from "./log-point.ts";

export type CheckpointManifest = {
  /** Which log it belongs to: a log that was created anew under the same name is another one. */
  readonly log: string;
  readonly slot: number;
  /** The last record that is in it. */
  readonly point: LogPoint;
  /** Of all bytes of the state: folds of one log that come to different ones at one record are not equal (I7). */
  readonly stateHash: string;
  /** The rules by which it was folded. */
  readonly foldVersion: number;
  /** The shape of the state's bytes. */
  readonly format: number;
  readonly bytes: number;
  /** One digest for each chunk, in order. */
  readonly chunks: readonly string[];
};

const VERSION = 1;
const DIGEST_LENGTH = 32;

export function chunkDigest(data: Uint8Array): string {
  return createHash("sha256").update(data).digest("hex").slice(0, DIGEST_LENGTH);
}

export function stateHashOf(chunks: readonly string[]): string {
  return createHash("sha256").update(chunks.join()).digest("hex").slice(0, DIGEST_LENGTH);
}

export function logIdOf(secret: ControlSecret): string {
  return createHash("sha256").update(`weft log ${secret}`).digest("hex").slice(0, DIGEST_LENGTH);
}

export function encodeManifest(manifest: CheckpointManifest): Uint8Array {
  return new TextEncoder().encode(JSON.stringify({ version: VERSION, ...manifest }));
}

/** Null for what is no manifest that this code can read. */
export function decodeManifest(data: Uint8Array): CheckpointManifest | null {
  let found: unknown;
  try {
    found = JSON.parse(new TextDecoder().decode(data));
  } catch {
    return null;
  }
  if (!isObject(found) || found.version !== VERSION || !isObject(found.point)) return null;
  const { log, slot, point, stateHash, foldVersion, format, bytes, chunks } = found;
  const { seq, digest } = point;
  if (typeof log !== "string" || typeof stateHash !== "string" || typeof digest !== "string") return null;
  if (!isCount(slot) || !isCount(seq) || !isCount(foldVersion) || !isCount(format) || !isCount(bytes))
    return null;
  if (!Array.isArray(chunks) || !chunks.every((each) => typeof each === "string")) return null;
  return { log, slot, point: { seq, digest }, stateHash, foldVersion, format, bytes, chunks };
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null;
}

function isCount(value: unknown): value is number {
  return typeof value === "number" && Number.isSafeInteger(value) && value >= 0;
}
