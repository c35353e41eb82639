/**
 * Between a worker and the threads and processes that run code for it. Every message names its job: code that goes on
 * after its task has ended must not report for the next one.
 *
 * What comes from inside is checked: the way out is open to the user's code, which may write anything there.
 */
import { checkProgress, VALUE_BYTES_MAX } from "@weft/protocol";
import type { LogLevel } from "../context.ts";
import type { AttemptEnd, AttemptInput } from "../run-attempt.ts";

export type ToInside =
  | { readonly type: "run"; readonly job: number; readonly moduleUrl: string; readonly input: AttemptInput }
  | { readonly type: "cancel"; readonly job: number; readonly reason: string | null };

export type InsideProgress = {
  readonly fraction: number;
  readonly message: string | undefined;
  readonly data: unknown;
};

export type FromInside =
  | ({ readonly type: "progress"; readonly job: number } & InsideProgress)
  | {
      readonly type: "log";
      readonly job: number;
      readonly level: LogLevel;
      readonly message: string;
      readonly data: unknown;
    }
  /** Nothing caught what the code threw: if its process ends now, that is why. `value` is the failure, encoded. */
  | { readonly type: "uncaught"; readonly job: number; readonly value: Uint8Array }
  | {
      readonly type: "ended";
      readonly job: number;
      readonly end: AttemptEnd;
      readonly progress: InsideProgress | null;
    };

const LEVELS: ReadonlySet<unknown> = new Set(["debug", "info", "warn", "error"] satisfies LogLevel[]);
const OUTCOMES: ReadonlySet<unknown> = new Set([
  "succeeded",
  "failed",
  "cancelled",
] satisfies AttemptEnd["outcome"][]);

/** The message, or null where it is none. */
export function readFromInside(message: unknown): FromInside | null {
  if (!isRecord(message) || !Number.isSafeInteger(message.job)) return null;
  return isSound(message) ? (message as FromInside) : null;
}

function isSound(message: Readonly<Record<string, unknown>>): boolean {
  switch (message.type) {
    case "progress":
      return isProgress(message);
    case "log":
      return LEVELS.has(message.level) && typeof message.message === "string";
    case "uncaught":
      return isValue(message.value);
    case "ended":
      return isEnd(message.end) && (message.progress === null || isProgress(message.progress));
    default:
      return false;
  }
}

function isProgress(value: unknown): boolean {
  if (!isRecord(value)) return false;
  try {
    checkProgress(value.fraction, value.message, value.data);
    return true;
  } catch {
    return false;
  }
}

function isEnd(value: unknown): boolean {
  if (!isRecord(value) || !OUTCOMES.has(value.outcome)) return false;
  // A success or a failure without a value could be read by nobody.
  return isValue(value.value) || (value.outcome === "cancelled" && value.value === null);
}

function isValue(value: unknown): boolean {
  return value instanceof Uint8Array && value.length <= VALUE_BYTES_MAX;
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null;
}
