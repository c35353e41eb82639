/** From what was measured, round by round, to the figures that are printed. */

/** Over the rounds. */
export type Figure = { readonly median: number; readonly min: number; readonly max: number };

const DIGITS = 4;

/** Noise is in the fourth digit already. */
function round(value: number): number {
  return Number(value.toPrecision(DIGITS));
}

export function figureOf(values: readonly number[]): Figure {
  const sorted = Float64Array.from(values).sort();
  const low = sorted[(sorted.length - 1) >> 1] ?? Number.NaN;
  const high = sorted[sorted.length >> 1] ?? Number.NaN;
  return {
    median: round((low + high) / 2),
    min: round(sorted[0] ?? Number.NaN),
    max: round(sorted.at(-1) ?? Number.NaN),
  };
}

/** The value below which `share` of the values lie, by nearest rank. */
export function percentile(values: readonly number[], share: number): number {
  const sorted = Float64Array.from(values).sort();
  return sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)] ?? Number.NaN;
}
