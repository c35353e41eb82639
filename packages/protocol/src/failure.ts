/**
 * The failure of a user's task as data: the type name, message, stack and causes of what was thrown, with the plain
 * own properties that errors carry (`code`, `status`, …). It travels as opaque bytes and is rebuilt by the client.
 */
import { WeftError } from "./errors.ts";
import { CAUSES_MAX, TEXT_LENGTH_MAX } from "./limits.ts";
import { checkMsgpack } from "./msgpack-shape.ts";
import { packr } from "./packr.ts";

export type Failure = {
  readonly name: string;
  readonly message: string;
  readonly stack: string | null;
  readonly properties: Readonly<Record<string, string | number | boolean | null>>;
  readonly cause: Failure | null;
};

const STACK_LENGTH_MAX = 8_000;
const MESSAGE_LENGTH_MAX = 8_000;
const PROPERTIES_MAX = 16;
const OWN = new Set(["name", "message", "stack", "cause", "retryable"]);

export function failureOf(thrown: unknown): Failure {
  const chain: unknown[] = [];
  for (let at: unknown = thrown; chain.length < CAUSES_MAX; at = (at as Error).cause) {
    if (chain.includes(at)) break;
    chain.push(at);
    if (!(at instanceof Error) || at.cause === undefined) break;
  }
  let failure: Failure | null = null;
  for (const each of chain.reverse()) failure = one(each, failure);
  return failure ?? one(thrown, null);
}

function one(thrown: unknown, cause: Failure | null): Failure {
  if (!(thrown instanceof Error)) {
    const message =
      typeof thrown === "string" ? thrown : `a task threw ${describe(thrown)} instead of an Error`;
    return {
      name: "NonErrorThrown",
      message: clip(message, MESSAGE_LENGTH_MAX),
      stack: null,
      properties: {},
      cause,
    };
  }
  const properties: Record<string, string | number | boolean | null> = {};
  for (const [key, value] of Object.entries(thrown).slice(0, PROPERTIES_MAX)) {
    if (OWN.has(key)) continue;
    if (typeof value === "string") properties[key] = clip(value, TEXT_LENGTH_MAX);
    else if (typeof value === "number" || typeof value === "boolean" || value === null)
      properties[key] = value;
  }
  return {
    name: clip(String(thrown.name), 200),
    message: clip(String(thrown.message), MESSAGE_LENGTH_MAX),
    stack: typeof thrown.stack === "string" ? clip(thrown.stack, STACK_LENGTH_MAX) : null,
    properties,
    cause,
  };
}

function describe(value: unknown): string {
  try {
    return clip(JSON.stringify(value) ?? String(value), TEXT_LENGTH_MAX);
  } catch {
    return `a ${typeof value} that has no JSON`;
  }
}

const clip = (text: string, lengthMax: number): string =>
  text.length <= lengthMax
    ? text
    : `${text.slice(0, lengthMax)}… (${text.length - lengthMax} characters more)`;

const BUILT_IN: ReadonlyMap<string, ErrorConstructor> = new Map(
  [Error, EvalError, RangeError, ReferenceError, SyntaxError, TypeError, URIError].map((type) => [
    type.name,
    type,
  ]),
);

/** The error again: its class where JavaScript has one of that name, else an Error with that name. */
export function rebuildError(failure: Failure): Error {
  const cause = failure.cause === null ? undefined : rebuildError(failure.cause);
  const options = cause === undefined ? undefined : { cause };
  const code = failure.properties.code;
  const error =
    typeof code === "string" && code.startsWith("weft_")
      ? new WeftError(code, failure.message, options)
      : new (BUILT_IN.get(failure.name) ?? Error)(failure.message, options);
  if (error.name !== failure.name)
    Object.defineProperty(error, "name", { value: failure.name, configurable: true, writable: true });
  if (failure.stack !== null)
    Object.defineProperty(error, "stack", { value: failure.stack, configurable: true, writable: true });
  for (const [key, value] of Object.entries(failure.properties)) {
    if (key !== "code" || !(error instanceof WeftError))
      Object.defineProperty(error, key, { value, enumerable: true, configurable: true, writable: true });
  }
  return error;
}

export function encodeFailure(failure: Failure): Uint8Array {
  return packr.pack(toWire(failure));
}

type WireFailure = [string, string, string | null, Record<string, unknown>, WireFailure | null];

function toWire(failure: Failure): WireFailure {
  const cause = failure.cause === null ? null : toWire(failure.cause);
  return [failure.name, failure.message, failure.stack, failure.properties, cause];
}

/** A failure that cannot be read is still a failure: it says that it could not be read. */
export function decodeFailure(bytes: Uint8Array): Failure {
  const wrong = checkMsgpack(bytes, { depthMax: CAUSES_MAX + 4, nodesMax: 10_000 });
  const failure = wrong === null ? fromWire(unpacked(bytes), 0) : null;
  return (
    failure ?? {
      name: "UnreadableFailure",
      message: `the task failed, but what it reported cannot be read (${wrong ?? "not a failure"})`,
      stack: null,
      properties: {},
      cause: null,
    }
  );
}

/** Bytes of a sound shape may still hold what is none of its type, such as a typed array of half an element. */
function unpacked(bytes: Uint8Array): unknown {
  try {
    return packr.unpack(bytes);
  } catch {
    return null;
  }
}

function fromWire(wire: unknown, depth: number): Failure | null {
  if (!Array.isArray(wire) || depth > CAUSES_MAX) return null;
  const [name, message, stack, properties, cause] = wire as unknown[];
  if (typeof name !== "string" || typeof message !== "string") return null;
  if ((stack !== null && typeof stack !== "string") || typeof properties !== "object" || properties === null)
    return null;
  const known: Record<string, string | number | boolean | null> = {};
  for (const [key, value] of Object.entries(properties)) {
    if (value === null || ["string", "number", "boolean"].includes(typeof value)) known[key] = value;
  }
  return {
    name,
    message,
    stack,
    properties: known,
    cause: cause === null ? null : fromWire(cause, depth + 1),
  };
}
