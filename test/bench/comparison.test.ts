/** What `pnpm bench:check` calls a loss. */
import { expect, test } from "vitest";
import { bestOf, verdictsOf } from "../../bench/comparison.ts";
import { reportOf } from "./report-example.ts";

const before = reportOf({ weft: { perSecond: 50_000 }, limit: { perSecond: 100_000 } });

test("a slower machine is no loss: what counts is the share of its limit", () => {
  const now = reportOf({ weft: { perSecond: 5_000 }, limit: { perSecond: 10_000 } });
  expect(verdictsOf(before, now)).toMatchObject([
    { what: "throughput single", metric: "perSecond", before: 0.5, now: 0.5, left: 1, isLoss: false },
  ]);
});

test.each([
  { perSecond: 38_000, isLoss: false },
  { perSecond: 37_000, isLoss: true },
  { perSecond: 90_000, isLoss: false },
])("more than a quarter of the share is a loss: $perSecond of 50,000", ({ perSecond, isLoss }) => {
  const now = reportOf({ weft: { perSecond }, limit: { perSecond: 100_000 } });
  expect(verdictsOf(before, now)).toMatchObject([{ isLoss }]);
});

test.each([
  { bytesPerTask: 390, isLoss: false },
  { bytesPerTask: 410, isLoss: true },
])("bytes are compared as they are: $bytesPerTask after 300", ({ bytesPerTask, isLoss }) => {
  const was = reportOf({ weft: { bytesPerTask: 300 } }, "bytesPerTask");
  const now = reportOf({ weft: { bytesPerTask } }, "bytesPerTask");
  expect(verdictsOf(was, now)).toMatchObject([{ isLoss }]);
});

test("what has no limit, or is not measured any more, is not compared", () => {
  expect(verdictsOf(before, reportOf({ weft: { perSecond: 1 } }))).toEqual([]);
  expect(verdictsOf(reportOf({ weft: { perSecond: 1 } }), before)).toEqual([]);
});

test("a loss that a second measurement does not show is none", () => {
  const verdicts = (perSecond: number): ReturnType<typeof verdictsOf> =>
    verdictsOf(before, reportOf({ weft: { perSecond }, limit: { perSecond: 100_000 } }));
  expect(bestOf(verdicts(20_000), verdicts(45_000))).toMatchObject([{ now: 0.45, isLoss: false }]);
  expect(bestOf(verdicts(20_000), verdicts(10_000))).toMatchObject([{ now: 0.2, isLoss: true }]);
});
