/**
 * Reads what a msgpack decode returned, field by field. What is not as it should be throws `Mismatch`, which never
 * leaves this package: `readWire` turns it into a union. What comes by the thousand is read by `WireCursor` instead.
 */
import { RECORD_DEPTH_MAX, RECORD_NODES_MAX } from "./limits.ts";
import { checkMsgpack } from "./msgpack-shape.ts";
import { packr } from "./packr.ts";
import { WIRE_VERSION } from "./versions.ts";

/** Sound, or why not: `kind` groups the reasons, so that each is logged once. */
export type Read<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly kind: string };

export class Mismatch extends Error {}

export function readWire<T>(bytes: Uint8Array, read: (fields: unknown[]) => T): Read<T> {
  const wrong = checkMsgpack(bytes, { depthMax: RECORD_DEPTH_MAX, nodesMax: RECORD_NODES_MAX });
  if (wrong !== null) return { ok: false, kind: `not msgpack: ${wrong}` };
  try {
    return { ok: true, value: read(list(packr.unpack(bytes), "message")) };
  } catch (error) {
    if (error instanceof Mismatch) return { ok: false, kind: error.message };
    return { ok: false, kind: `undecodable: ${error instanceof Error ? error.message : String(error)}` };
  }
}

export function mismatch(what: string): never {
  throw new Mismatch(what);
}

export function checkVersion(value: unknown): void {
  if (value !== WIRE_VERSION)
    mismatch(`message version ${String(value).slice(0, 20)} is not ${WIRE_VERSION}`);
}

export function list(value: unknown, what: string, lengthMax: number = RECORD_NODES_MAX): unknown[] {
  if (!Array.isArray(value)) mismatch(`${what} is no array`);
  if (value.length > lengthMax) mismatch(`${what} has more than ${lengthMax} items`);
  return value;
}

export function text(value: unknown, what: string, lengthMax: number): string {
  if (typeof value !== "string" || value.length > lengthMax)
    mismatch(`${what} is no text of at most ${lengthMax}`);
  return value;
}

export function textOrNull(value: unknown, what: string, lengthMax: number): string | null {
  return value === null ? null : text(value, what, lengthMax);
}

export function count(value: unknown, what: string, max: number = Number.MAX_SAFE_INTEGER): number {
  if (typeof value !== "number" || !Number.isSafeInteger(value) || value < 0 || value > max)
    mismatch(`${what} is no count`);
  return value;
}

export function integer(value: unknown, what: string): number {
  if (typeof value !== "number" || !Number.isSafeInteger(value)) mismatch(`${what} is no integer`);
  return value;
}

export function flag(value: unknown, what: string): boolean {
  if (typeof value !== "boolean") mismatch(`${what} is no boolean`);
  return value;
}

export function bytes(value: unknown, what: string): Uint8Array {
  if (!(value instanceof Uint8Array)) mismatch(`${what} is no bytes`);
  return value;
}

export function bytesOrNull(value: unknown, what: string): Uint8Array | null {
  return value === null || value === undefined ? null : bytes(value, what);
}

/** A value that a guard accepts, such as an id. */
export function guarded<T extends string>(value: unknown, what: string, is: (text: string) => boolean): T {
  if (typeof value !== "string" || !is(value)) mismatch(`${what} is not well formed`);
  return value as T;
}

export function oneOf<const T extends readonly string[]>(value: unknown, what: string, known: T): T[number] {
  const found = known.find((each) => each === value);
  if (found === undefined) mismatch(`${what} is unknown`);
  return found;
}

export function fields(value: unknown, what: string): Record<string, unknown> {
  if (typeof value !== "object" || value === null || Array.isArray(value) || value instanceof Uint8Array) {
    mismatch(`${what} is no map`);
  }
  return value as Record<string, unknown>;
}
