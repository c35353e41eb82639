/** From the times of several rounds to the figures that are printed. */

export type Figure = {
  /** The median over the rounds of each round's median. */
  readonly p50: number;
  /** The median over the rounds of each round's 99th percentile. */
  readonly p99: number;
  /** Times taken, in all rounds together. */
  readonly count: number;
  /** The lowest and the highest median of a round. */
  readonly p50_min: number;
  readonly p50_max: number;
};

/** Numbers are printed to the microsecond. */
const DIGITS = 3;

function round(value: number): number {
  return Number(value.toFixed(DIGITS));
}

/** The value below which `share` of the values lie, by nearest rank. */
function percentile(values: readonly number[], share: number): number {
  const sorted = Float64Array.from(values).sort();
  return sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)] ?? Number.NaN;
}

function median(values: readonly number[]): number {
  const sorted = Float64Array.from(values).sort();
  const low = sorted[(sorted.length - 1) >> 1] ?? Number.NaN;
  const high = sorted[sorted.length >> 1] ?? Number.NaN;
  return (low + high) / 2;
}

export function figureOf(rounds: readonly (readonly number[])[]): Figure {
  const medians = rounds.map((values) => percentile(values, 0.5));
  return {
    p50: round(median(medians)),
    p99: round(median(rounds.map((values) => percentile(values, 0.99)))),
    count: rounds.reduce((sum, values) => sum + values.length, 0),
    p50_min: round(Math.min(...medians)),
    p50_max: round(Math.max(...medians)),
  };
}

export type Ratio = { readonly p50: number; readonly p99: number };

/** How many times as long as the other: the median of the ratios round by round, as both ran next to each other in each. */
export function ratioOf(ours: readonly (readonly number[])[], theirs: readonly (readonly number[])[]): Ratio {
  const at = (share: number): number =>
    round(
      median(ours.map((values, index) => percentile(values, share) / percentile(theirs[index] ?? [], share))),
    );
  return { p50: at(0.5), p99: at(0.99) };
}
