/** Progress travels as a JSON line, so that `nats sub` shows it to a person, and rides as the same bytes in the finish. */

import { InvalidProgressError, UsageError } from "./errors.ts";
import { TEXT_LENGTH_MAX } from "./limits.ts";

export type Progress = {
  /** From 0 to 1. */
  readonly fraction: number;
  readonly message?: string;
  readonly data?: unknown;
};

export type ProgressReport = Progress & { readonly task: string; readonly attempt: number };

/** Largest `data` of one progress report, as JSON. */
const DATA_LENGTH_MAX = 16_384;

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** Throws `InvalidProgressError` for what is not a number from 0 to 1, `UsageError` for what no JSON line can carry. */
export function checkProgress(fraction: unknown, message?: unknown, data?: unknown): void {
  if (typeof fraction !== "number" || !(fraction >= 0 && fraction <= 1))
    throw new InvalidProgressError(fraction);
  if (message !== undefined && (typeof message !== "string" || message.length > TEXT_LENGTH_MAX)) {
    throw new UsageError(`a progress message must be a text of at most ${TEXT_LENGTH_MAX} characters`);
  }
  if (data === undefined) return;
  let line: string | undefined;
  try {
    line = JSON.stringify(data);
  } catch (cause) {
    throw new UsageError("the data of a progress report must be JSON", { cause });
  }
  if (line === undefined || line.length > DATA_LENGTH_MAX) {
    throw new UsageError(
      `the data of a progress report must be JSON of at most ${DATA_LENGTH_MAX} characters`,
    );
  }
}

export function encodeProgress(report: ProgressReport): Uint8Array {
  const { task, attempt, fraction, message, data } = report;
  return encoder.encode(JSON.stringify({ task, attempt, fraction, message, data }));
}

/** Null where it is not a progress report. */
export function decodeProgress(bytes: Uint8Array): ProgressReport | null {
  let line: unknown;
  try {
    line = JSON.parse(decoder.decode(bytes));
  } catch {
    return null;
  }
  if (typeof line !== "object" || line === null) return null;
  const { task, attempt, fraction, message, data } = line as Record<string, unknown>;
  if (typeof task !== "string" || typeof attempt !== "number") return null;
  if (typeof fraction !== "number" || !(fraction >= 0 && fraction <= 1)) return null;
  return {
    task,
    attempt,
    fraction,
    ...(typeof message === "string" ? { message } : {}),
    ...(data === undefined ? {} : { data }),
  };
}
