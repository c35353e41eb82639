/** Durations, sizes, numbers and lists as they are written on a command line. What cannot be read is a `UsageError`. */
import { durationText, UsageError } from "@weft/protocol";

const DURATION_MS: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000 };
const SIZE_BYTES: Readonly<Record<string, number>> = {
  B: 1,
  KiB: 1024,
  MiB: 1024 ** 2,
  GiB: 1024 ** 3,
  TiB: 1024 ** 4,
};
const DURATION_MAX_MS = 24 * 3_600_000;

/** `500ms`, `3s`, `1.5m`: in milliseconds. */
export function parseDurationMs(text: string, option: string, mostMs: number = DURATION_MAX_MS): number {
  const ms = withUnit(text, DURATION_MS);
  if (ms === null || ms > mostMs) {
    const most = mostMs === DURATION_MAX_MS ? "24h" : durationText(mostMs);
    throw new UsageError(
      `${option} must be a duration such as 500ms, 3s or 2m, at most ${most}, got "${text}"`,
    );
  }
  return ms;
}

/** `512MiB`, `10GiB`, `1048576B`: in bytes. */
export function parseBytes(text: string, option: string): number {
  const bytes = withUnit(text, SIZE_BYTES);
  if (bytes === null || bytes < 1)
    throw new UsageError(`${option} must be a size such as 512MiB or 10GiB, got "${text}"`);
  return bytes;
}

function withUnit(text: string, units: Readonly<Record<string, number>>): number | null {
  const [, number, unit] = /^(\d+(?:\.\d+)?)\s*([A-Za-z]+)$/.exec(text) ?? [];
  const factor = units[unit ?? ""];
  return number === undefined || factor === undefined ? null : Math.round(Number(number) * factor);
}

export type Range = { readonly least: number; readonly most: number };

export function parseWhole(text: string, option: string, { least, most }: Range): number {
  const number = /^[+-]?\d+$/.test(text) ? Number(text) : Number.NaN;
  if (!(number >= least && number <= most)) {
    const range = most === Number.MAX_SAFE_INTEGER ? `of at least ${least}` : `from ${least} to ${most}`;
    throw new UsageError(`${option} must be a whole number ${range}, got "${text}"`);
  }
  return number;
}

/** `a,b,c`, also given several times. */
export function parseList(text: string, before: readonly string[] | undefined): readonly string[] {
  const items = text.split(",").map((each) => each.trim());
  return [...(before ?? []), ...items.filter((each) => each !== "")];
}

export function parseChoice<T extends string>(text: string, option: string, known: readonly T[]): T {
  const found = known.find((each) => each === text);
  if (found === undefined)
    throw new UsageError(`${option} must be one of ${known.join(", ")}, got "${text}"`);
  return found;
}

/** The time between two moments, for people. */
export function describeMs(ms: number): string {
  if (ms < 1_000) return `${Math.round(ms)} ms`;
  if (ms < 60_000) return `${(ms / 1_000).toFixed(1)} s`;
  const minutes = Math.floor(ms / 60_000);
  return minutes < 60 ? `${minutes} min` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}
