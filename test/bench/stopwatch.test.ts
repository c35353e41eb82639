/** How a run of throughput is timed. */
import { expect, test } from "vitest";
import { Stopwatch } from "../../bench/throughput/contract.ts";

test("a run is as long as its last outcome takes, and its percentiles are of the tasks", async () => {
  let nowMs = 0;
  const watch = new Stopwatch(4, () => nowMs);
  for (let index = 0; index < 4; index++) watch.submit(index);
  for (const index of [2, 0, 1, 3]) {
    nowMs += 10;
    watch.settle(index);
  }
  expect(await watch.result()).toEqual({ ms: 40, p50: 20, p99: 40 });
});

test("there is room when so many outcomes are known", async () => {
  const watch = new Stopwatch(10, () => 0);
  for (let index = 0; index < 4; index++) watch.submit(index);
  await watch.room(6, null);
  await watch.room(1, 5);
  let isOpen = false;
  const room = watch.room(3, 5).then(() => {
    isOpen = true;
  });
  watch.settle(0);
  await Promise.resolve();
  expect(isOpen).toBe(false);
  watch.settle(1);
  await room;
  expect(watch.unsettled).toBe(2);
});
