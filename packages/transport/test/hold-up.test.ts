import { expect, test } from "vitest";
import { HoldUp } from "../src/index.ts";

test("a look that comes late is told so, and the next one looks, however late it is", () => {
  const holdUp = new HoldUp(100);
  holdUp.begin(1_000);
  expect([1_025, 1_124, 1_224].map((nowMs) => holdUp.precedes(nowMs))).toEqual([false, false, true]);
  expect([1_225, 5_000, 9_000, 13_000].map((nowMs) => holdUp.precedes(nowMs))).toEqual([
    false,
    true,
    false,
    true,
  ]);
});

test("looks that begin anew have not been held up meanwhile", () => {
  const holdUp = new HoldUp(100);
  holdUp.begin(0);
  expect(holdUp.precedes(20)).toBe(false);
  holdUp.begin(60_000);
  expect([60_020, 60_200].map((nowMs) => holdUp.precedes(nowMs))).toEqual([false, true]);
});
