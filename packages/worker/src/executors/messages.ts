/**
 * Between a worker and the threads and processes that run code for it. Every message names its job: code that goes on
 * after its task has ended must not report for the next one.
 *
 * What comes from inside is checked: the way out is open to the user's code, which may write anything there.
 */
import {
  checkProgress,
  DURATION_MAX_MS,
  type FinishFailure,
  TOKEN_LENGTH_MAX,
  VALUE_BYTES_MAX,
} from "@weft/protocol";
import type { LogLevel } from "../context.ts";
import type { AttemptEnd, AttemptInput, StopRequest } from "../run-attempt.ts";

export type ToInside =
  | {
      readonly type: "run";
      readonly job: number;
      /** Whether it may be taken back until it has begun. */
      readonly isAhead: boolean;
      readonly moduleUrl: string;
      readonly input: AttemptInput;
    }
  | { readonly type: "stop"; readonly job: number; readonly request: StopRequest };

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
  | {
      readonly type: "uncaught";
      readonly job: number;
      readonly value: Uint8Array;
      readonly failure: FinishFailure;
    }
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
      return isValue(message.value) && isFailure(message.failure);
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
  // A success or a failure without a value could be read by nobody, and one with more than it may have by no log.
  if (value.outcome === "failed") return isValue(value.value) && isFailure(value.failure);
  if (value.failure !== null) return false;
  return isValue(value.value) || (value.outcome === "cancelled" && value.value === null);
}

function isFailure(value: unknown): boolean {
  if (!isRecord(value)) return false;
  const { errorName, nonRetryable, retryAfterMs } = value;
  return (
    typeof errorName === "string" &&
    errorName.length <= TOKEN_LENGTH_MAX &&
    typeof nonRetryable === "boolean" &&
    (retryAfterMs === null || isDuration(retryAfterMs))
  );
}

function isDuration(value: unknown): boolean {
  return Number.isSafeInteger(value) && Number(value) >= 0 && Number(value) <= DURATION_MAX_MS;
}

function isValue(value: unknown): boolean {
  return value instanceof Uint8Array && value.length <= VALUE_BYTES_MAX;
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null;
}
