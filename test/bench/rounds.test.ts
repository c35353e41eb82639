/** From samples to what a workload prints. */
import { expect, test } from "vitest";
import { figureOf, percentile } from "../../bench/figures.ts";
import { Rounds } from "../../bench/rounds.ts";

test("a figure is the median of the rounds, with the extremes beside it", () => {
  expect(figureOf([3, 1, 2])).toEqual({ median: 2, min: 1, max: 3 });
  expect(figureOf([4, 1])).toEqual({ median: 2.5, min: 1, max: 4 });
  expect(figureOf([0.123456, 1234.56]).min).toBe(0.1235);
  expect(figureOf([0.123456, 1234.56]).max).toBe(1235);
});

test("a percentile is by nearest rank", () => {
  const values = Array.from({ length: 100 }, (_, index) => 100 - index);
  expect(percentile(values, 0.5)).toBe(50);
  expect(percentile(values, 0.99)).toBe(99);
});

test("a ratio is above 1 where Weft is ahead, whether more or less is better, and is taken pair by pair", () => {
  const rounds = new Rounds();
  for (const [ours, theirs] of [
    [100, 50],
    [10, 1],
    [30, 10],
  ] as const) {
    rounds.add("weft", { single: { perSecond: ours, p50: theirs } });
    rounds.add("bullmq", { single: { perSecond: theirs, p50: ours } });
    rounds.add("limit", { single: { perSecond: ours * 2, p50: theirs / 2 } });
  }
  const { ratio, share, rivals, limit } = rounds.compare();
  expect(ratio.bullmq?.single).toEqual({
    perSecond: { median: 3, min: 2, max: 10 },
    p50: { median: 3, min: 2, max: 10 },
  });
  expect(share.single?.perSecond).toEqual({ median: 0.5, min: 0.5, max: 0.5 });
  expect(share.single?.p50).toEqual({ median: 0.5, min: 0.5, max: 0.5 });
  expect(Object.keys(rivals)).toEqual(["bullmq"]);
  expect(limit.single?.perSecond?.median).toBe(60);
});

test("what only one of two measures, or where a number came to nothing, is not compared", () => {
  const rounds = new Rounds();
  rounds.add("weft", { single: { perSecond: 1, cpuCoordinatorUs: 3 }, bulk: { perSecond: 2 } });
  rounds.add("bullmq", { single: { perSecond: 1, cpuServerUs: 0 } });
  rounds.add("limit", { single: { perSecond: 0 } });
  const { weft, ratio, share } = rounds.compare();
  expect(Object.keys(weft)).toEqual(["single", "bulk"]);
  expect(Object.keys(ratio.bullmq ?? {})).toEqual(["single"]);
  expect(Object.keys(ratio.bullmq?.single ?? {})).toEqual(["perSecond"]);
  expect(share).toEqual({});
});
