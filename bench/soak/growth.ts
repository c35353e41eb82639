/** From what was held in the course of a long run to how it grew. */
import { percentile } from "../figures.ts";

export type Growth = {
  /** The middle of the second quarter of the samples: what has settled by then leaves as fast as it comes. */
  readonly earlyBytes: number;
  /** The middle of the last quarter. */
  readonly lateBytes: number;
  /** The one divided by the other: 1 where it is flat. */
  readonly growth: number;
  /** The slope of the line through the second half that is closest to it by least squares. */
  readonly bytesPerMinute: number;
};

const HALF = 0.5;

/** `samples` at equal distances, over the whole run. */
export function growthOf(samples: readonly number[], minutesApart: number): Growth {
  const quarter = Math.floor(samples.length / 4);
  const earlyBytes = percentile(samples.slice(quarter, 2 * quarter), HALF);
  const lateBytes = percentile(samples.slice(-quarter), HALF);
  return {
    earlyBytes,
    lateBytes,
    growth: lateBytes / earlyBytes,
    bytesPerMinute: slopeOf(samples.slice(-2 * quarter)) / minutesApart,
  };
}

/** Per step from one value to the next. */
function slopeOf(values: readonly number[]): number {
  const middle = (values.length - 1) / 2;
  let product = 0;
  let square = 0;
  for (const [index, value] of values.entries()) {
    product += (index - middle) * value;
    square += (index - middle) ** 2;
  }
  return product / square;
}
