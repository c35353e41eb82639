/** Whether Weft has become slower since results were kept, on this machine or another: it is judged by its share of the limit. */
import type { Report } from "./report.ts";
import { aheadBy } from "./rounds.ts";

/** A quarter. Less is lost to noise. */
export const LOSS_MAX = 0.25;

export type Verdict = {
  /** Where in the report: `throughput single`. */
  readonly what: string;
  readonly metric: string;
  readonly before: number;
  readonly now: number;
  /** What is left of the figure before: 1 if both are equal, more if it became better. */
  readonly left: number;
  readonly isLoss: boolean;
};

/** Bytes are the same on every machine, so they are compared as they are. */
const BYTES = /bytes/i;

/** One for each figure of the metric that counts which both reports have. */
export function verdictsOf(before: Report, now: Report): Verdict[] {
  const metric = before.headline;
  const isBytes = BYTES.test(metric);
  const figuresOf = (report: Report): Report["share"] => (isBytes ? report.weft : report.share);
  return Object.entries(figuresOf(before)).flatMap(([shape, figures]) => {
    const was = figures[metric]?.median;
    const is = figuresOf(now)[shape]?.[metric]?.median;
    if (was === undefined || is === undefined) return [];
    const left = isBytes ? aheadBy(metric, is, was) : is / was;
    const what = `${before.name} ${shape}`;
    return [{ what, metric, before: was, now: is, left, isLoss: left < 1 - LOSS_MAX }];
  });
}

/** Of two measurements of the same, what is left at best: what else the machine does takes away and adds nothing. */
export function bestOf(first: readonly Verdict[], second: readonly Verdict[]): Verdict[] {
  return first.map((verdict) => {
    const again = second.find(({ what }) => what === verdict.what);
    return again !== undefined && again.left > verdict.left ? again : verdict;
  });
}
