/** When a blocked process is ended, on times that the test makes up. */
import { expect, test } from "vitest";
import { BlockLimit } from "../src/block-limit.ts";
import { taskId } from "./assignment.ts";

const NANOS_PER_MS = 1_000_000n;
const ns = (ms: number): bigint => BigInt(ms) * NANOS_PER_MS;
const limited = { id: taskId(1), attempt: 2, limitNs: ns(3_000) };

/** The time at which it ends the process, in steps of 100 ms; null where it has not by then. */
function endsAt(turnedAtMs: (nowMs: number) => number, { limitNs = limited.limitNs } = {}): number | null {
  const limit = new BlockLimit(0n);
  for (let nowMs = 100; nowMs <= 60_000; nowMs += 100) {
    const ended = limit.step(ns(nowMs), ns(turnedAtMs(nowMs)), [{ ...limited, limitNs }]);
    if (ended !== null) {
      expect(ended).toMatchObject({ id: limited.id, attempt: 2 });
      return nowMs;
    }
  }
  return null;
}

test("five seconds beyond the limit a process ends whose event loop has not turned since before it", () => {
  expect(endsAt(() => 1_000)).toBe(7_900);
});

test("one whose event loop turns does not end, nor one that was blocked by other code after the limit", () => {
  expect(endsAt((nowMs) => nowMs - 50)).toBe(null);
  expect(endsAt((nowMs) => Math.min(nowMs, 3_100))).toBe(null);
});

test("one whose code has no limit is blocked for however long it takes", () => {
  expect(endsAt(() => 1_000, { limitNs: 0n })).toBe(null);
});

test("one that was paused as a whole is given the time to see to it itself", () => {
  const limit = new BlockLimit(0n);
  expect(limit.step(ns(1_000), ns(950), [limited])).toBe(null);
  expect(limit.step(ns(60_000), ns(1_000), [limited])).toBe(null);
  expect(limit.step(ns(60_100), ns(60_050), [limited])).toBe(null);
});
