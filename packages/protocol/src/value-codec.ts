/**
 * Arguments and results are encoded once by whoever made them and travel as opaque bytes: only the process that
 * uses a value decodes it.
 *
 * A value is walked before it is packed, so that what cannot travel is refused with the path that leads to it.
 */
import { EncodingError, PayloadTooLargeError } from "./errors.ts";
import { INLINE_VALUE_BYTES_MAX, VALUE_BYTES_MAX, VALUE_DEPTH_MAX } from "./limits.ts";
import { checkMsgpack } from "./msgpack-shape.ts";
import { packr } from "./packr.ts";

/** Objects that MessagePack has no type for; msgpackr's own forms of them are not MessagePack. */
const REFUSED: readonly (readonly [new (...args: never[]) => object, string])[] = [
  [Promise, "await it first"],
  [Map, "pass an object or an array of entries instead"],
  [Set, "pass an array instead"],
  [Error, "pass its message instead"],
  [RegExp, "pass its source instead"],
  [WeakMap, "which cannot leave its process"],
  [WeakSet, "which cannot leave its process"],
];

/** Views that the codec has a type for. A class derived from one would be packed under no type, and not be read. */
const VIEWS: ReadonlySet<string> = new Set([
  "Buffer",
  "DataView",
  "Int8Array",
  "Uint8Array",
  "Uint8ClampedArray",
  "Int16Array",
  "Uint16Array",
  "Int32Array",
  "Uint32Array",
  "Float32Array",
  "Float64Array",
  "BigInt64Array",
  "BigUint64Array",
]);

const PACK_BYTES = 8_192;

/** Small counts, each encoded once. */
const COUNTS: readonly Uint8Array[] = Array.from({ length: 128 }, (_, count) => Uint8Array.of(count));

/** Longer ones take as long either way. */
const PLAIN_TEXT_MAX = 255;
const UTF8_BYTES_MAX = 3;
/** Where such texts are written, one behind the other. */
let texts: Buffer = Buffer.allocUnsafeSlow(PACK_BYTES);
let textsEnd = 0;

/** No value at all, which is not null. */
const NOTHING: Uint8Array = new Uint8Array(0);

export function encodeValue(value: unknown, what: string, bytesMax: number = VALUE_BYTES_MAX): Uint8Array {
  if (value === undefined) return NOTHING;
  if (typeof value === "number" && !Object.is(value, -0)) {
    const count = COUNTS[value];
    if (count !== undefined) return count;
  }
  if (typeof value === "string" && value.length <= PLAIN_TEXT_MAX) {
    const text = plainText(value);
    if (text !== null && text.length <= bytesMax) return text;
  }
  // Told before it is copied: there may be no room for that.
  if (ArrayBuffer.isView(value) && value.byteLength > bytesMax)
    throw new PayloadTooLargeError(what, value.byteLength, bytesMax);
  assertTravels(value, what, "", []);
  let bytes: Uint8Array;
  try {
    bytes = packr.pack(value);
  } catch (cause) {
    throw new EncodingError(`${what} cannot be encoded: ${reasonOf(cause)}`, { cause });
  }
  // What is packed next would else be cut from a buffer as large as this one, and keep all of it.
  if (bytes.length > INLINE_VALUE_BYTES_MAX) packr.useBuffer(Buffer.allocUnsafeSlow(PACK_BYTES));
  if (bytes.length > bytesMax) throw new PayloadTooLargeError(what, bytes.length, bytesMax);
  return bytes;
}

/** A short text of ASCII as msgpackr encodes it, in 0.06 µs where that takes up to 0.2. Null for one with other characters. */
function plainText(value: string): Uint8Array | null {
  const { length } = value;
  const headBytes = length <= 0x1f ? 1 : 2;
  if (texts.length - textsEnd < headBytes + UTF8_BYTES_MAX * length) {
    texts = Buffer.allocUnsafeSlow(PACK_BYTES);
    textsEnd = 0;
  }
  const from = textsEnd;
  if (texts.write(value, from + headBytes) !== length) return null;
  if (headBytes === 1) texts[from] = 0xa0 | length;
  else {
    texts[from] = 0xd9;
    texts[from + 1] = length;
  }
  textsEnd = from + headBytes + length;
  return new Uint8Array(texts.buffer, from, headBytes + length);
}

/** `undefined` for no bytes: a task without a result, a call without an argument. */
export function decodeValue(bytes: Uint8Array): unknown {
  if (bytes.length === 0) return undefined;
  const plain = plainIn(bytes);
  if (plain !== undefined) return plain;
  const wrong = checkMsgpack(bytes, { depthMax: VALUE_DEPTH_MAX + 8, nodesMax: Number.MAX_SAFE_INTEGER });
  if (wrong !== null) throw new EncodingError(`a value cannot be decoded: ${wrong}`);
  try {
    return packr.unpack(bytes);
  } catch (cause) {
    throw new EncodingError(`a value cannot be decoded: ${reasonOf(cause)}`, { cause });
  }
}

/**
 * What most tasks take and return is a small number, a flag or a text alone: read here, a number or a flag in 0.01 µs and a
 * short text in 0.19, where the long way takes 0.2 and 0.29. Undefined for everything else.
 */
function plainIn(bytes: Uint8Array): number | string | boolean | null | undefined {
  const type = bytes[0] ?? 0;
  const { length } = bytes;
  if (length === 1) {
    if (type <= 0x7f) return type;
    if (type === 0xc0) return null;
    if (type === 0xc2 || type === 0xc3) return type === 0xc3;
  }
  if (type >= 0xa0 && type <= 0xbf && length === 1 + (type & 0x1f)) return textIn(bytes, 1);
  return type === 0xd9 && length === 2 + (bytes[1] ?? 0) ? textIn(bytes, 2) : undefined;
}

/** What `toString` of a buffer calls: to make a buffer of the bytes first would take as long again, 0.10 µs in all for 0.05. */
const { utf8Slice } = Buffer.prototype as unknown as {
  readonly utf8Slice: (this: Uint8Array, start: number, end: number) => string;
};

function textIn(bytes: Uint8Array, from: number): string {
  return utf8Slice.call(bytes, from, bytes.length);
}

const reasonOf = (cause: unknown): string => (cause instanceof Error ? cause.message : String(cause));

function assertTravels(value: unknown, what: string, path: string, above: object[]): void {
  if (typeof value !== "object") {
    if (typeof value === "function" || typeof value === "symbol") refuse(what, path, `a ${typeof value}`);
    return;
  }
  if (value === null || value instanceof Date) return;
  if (ArrayBuffer.isView(value)) {
    const { name } = value.constructor;
    return VIEWS.has(name) ? undefined : refuse(what, path, `a ${name}, pass a Uint8Array instead`);
  }
  if (above.includes(value)) refuse(what, path, "a reference back to itself");
  if (above.length >= VALUE_DEPTH_MAX) refuse(what, path, `nested deeper than ${VALUE_DEPTH_MAX} levels`);
  for (const [type, instead] of REFUSED) {
    if (value instanceof type) refuse(what, path, `a ${type.name}, ${instead}`);
  }
  above.push(value);
  if (value.constructor !== Object && "toJSON" in value && typeof value.toJSON === "function") {
    assertTravels(value.toJSON(), what, path, above);
    above.pop();
    return;
  }
  if (Array.isArray(value)) {
    for (let i = 0; i < value.length; i++) assertTravels(value[i], what, `${path}[${i}]`, above);
  } else {
    const record = value as Record<string, unknown>;
    for (const key of Object.keys(value)) {
      const item = record[key];
      if (typeof item === "object" || typeof item === "function" || typeof item === "symbol") {
        assertTravels(item, what, `${path}.${key}`, above);
      }
    }
  }
  above.pop();
}

function refuse(what: string, path: string, why: string): never {
  throw new EncodingError(`${what} cannot be encoded: ${path === "" ? "it" : `its ${path}`} is ${why}`);
}
