/** Durations as people write them: `500ms`, `30s`, `1.5m`, `2h`, `1d`. */
import { UsageError } from "./errors.ts";
import { DURATION_MAX_MS } from "./limits.ts";

/** Milliseconds, or a number with its unit. */
export type Duration = number | string;

const UNITS_MS: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1_000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
};

/** In whole milliseconds. Throws `UsageError` for what is no duration, or none from 0 to the limit. */
export function parseDuration(given: unknown, what: string): number {
  const ms = typeof given === "string" ? fromText(given) : given;
  if (typeof ms !== "number" || !(ms >= 0 && ms <= DURATION_MAX_MS)) {
    throw new UsageError(
      `${what} must be a duration, in milliseconds or such as "500ms", "30s", "2m", "1h", at most "24d", got ${shown(given)}`,
    );
  }
  return Math.round(ms);
}

function fromText(text: string): number | null {
  const [, number, unit] = /^(\d+(?:\.\d+)?)\s*([a-z]+)$/.exec(text) ?? [];
  const factor = Object.hasOwn(UNITS_MS, unit ?? "") ? UNITS_MS[unit ?? ""] : undefined;
  return number === undefined || factor === undefined ? null : Number(number) * factor;
}

function shown(given: unknown): string {
  if (typeof given === "string") return JSON.stringify(given.slice(0, 40));
  return typeof given === "number" ? String(given) : `a value of type ${typeof given}`;
}

/** For a sentence: `90 s`, `10 min`, `250 ms`. */
export function durationText(ms: number): string {
  if (ms < 1_000) return `${ms} ms`;
  if (ms < 120_000) return `${round(ms / 1_000)} s`;
  return ms < 7_200_000 ? `${round(ms / 60_000)} min` : `${round(ms / 3_600_000)} h`;
}

/** The last moment that a Date knows. */
const MOMENT_MAX_MS = 8.64e15;

/** A moment in milliseconds since 1970, in UTC. */
export function momentText(ms: number): string {
  return new Date(Math.min(ms, MOMENT_MAX_MS)).toISOString();
}

function round(number: number): number {
  return Math.round(number * 10) / 10;
}
