/** Figures of workloads that are measured once per round. */

export type Measure = { readonly median: number; readonly min: number; readonly max: number };
export type Ratio = Measure;

const DIGITS = 3;

export function measureOf(values: readonly number[]): Measure {
  const sorted = [...values].sort((a, b) => a - b);
  const low = sorted[(sorted.length - 1) >> 1] ?? Number.NaN;
  const high = sorted[sorted.length >> 1] ?? Number.NaN;
  const round = (value: number): number => Number(value.toFixed(DIGITS));
  return {
    median: round((low + high) / 2),
    min: round(sorted[0] ?? Number.NaN),
    max: round(sorted.at(-1) ?? Number.NaN),
  };
}

/** Pair by pair: both ran next to each other in each round. */
export function ratioOf(above: readonly number[], below: readonly number[]): Ratio {
  return measureOf(above.map((value, index) => value / (below[index] ?? Number.NaN)));
}
