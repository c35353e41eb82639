import { expect, test } from "vitest";
import { sizeToFill } from "./small-disk.ts";

test("a disk is filled but for what is to be free, however fast it is written to meanwhile", () => {
  for (const [bytesPerTry, freeBytes, triesMax] of [
    [0, 100_000, 1],
    [99_999, 100_000, 1],
    [1_000_000, 100_000, 2],
    [1_000_000, 0, 2],
  ] as const) {
    let before: number | null = null;
    let stored = 5_000_000;
    let tries = 1;
    // A size below what is stored by then is refused.
    while (sizeToFill({ stored, before, freeBytes }) < stored + bytesPerTry) {
      before = stored;
      stored += bytesPerTry;
      expect(++tries).toBeLessThanOrEqual(triesMax);
    }
    expect(tries).toBe(triesMax);
  }
});
