/** How long a leader may be silent, as told by when it was heard of and since when something lives. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type LastSigns, patience } from "../src/shell/silence.ts";

const ms = fc.integer({ min: 0, max: 100_000 });
const alive = fc.record({ controlMs: ms, hasHeard: fc.boolean(), aliveSinceMs: ms });

describe("a leader", () => {
  test("of a cluster in which something lives is late after 0.6 s and silent after 2 s", () => {
    const signs: LastSigns = { controlMs: 50_000, hasHeard: true, aliveSinceMs: 1_000 };
    expect(patience(signs)).toEqual({ lateAtMs: 50_600, overAtMs: 52_000 });
  });

  test("of one in which nothing does is given twice as long: it ticks half as often", () => {
    const signs: LastSigns = { controlMs: 50_000, hasHeard: true, aliveSinceMs: null };
    expect(patience(signs)).toEqual({ lateAtMs: 51_100, overAtMs: 54_000 });
  });

  test("of which nothing was heard yet is not waited for as long: nobody may lead any more", () => {
    const signs: LastSigns = { controlMs: 50_000, hasHeard: false, aliveSinceMs: null };
    expect(patience(signs)).toEqual({ lateAtMs: 51_100, overAtMs: 52_000 });
  });

  test("that fell silent while nothing lived is missed as soon after the first task as one that falls silent with it", () => {
    fc.assert(
      fc.property(alive, (signs) => {
        const { controlMs, aliveSinceMs } = signs;
        const { lateAtMs, overAtMs } = patience(signs);
        const fromMs = Math.max(controlMs, aliveSinceMs);
        expect(lateAtMs).toBeLessThanOrEqual(fromMs + 600);
        expect(overAtMs).toBeLessThanOrEqual(fromMs + 2_000);
      }),
    );
  });

  test("is not given more time by a task than it would have had without", () => {
    fc.assert(
      fc.property(alive, (signs) => {
        const idle = patience({ ...signs, aliveSinceMs: null });
        const busy = patience(signs);
        expect(busy.lateAtMs).toBeLessThanOrEqual(idle.lateAtMs);
        expect(busy.overAtMs).toBeLessThanOrEqual(idle.overAtMs);
      }),
    );
  });

  test("that ticks as it should is never late, whenever something begins to live", () => {
    // Each second on its own, and within half a second of the first task.
    fc.assert(
      fc.property(ms, fc.integer({ min: 0, max: 1_000 }), (controlMs, afterMs) => {
        const aliveSinceMs = controlMs + afterMs;
        const nextTickMs = Math.min(controlMs + 1_000, Math.max(controlMs + 500, aliveSinceMs));
        const { lateAtMs } = patience({ controlMs, hasHeard: true, aliveSinceMs });
        expect(lateAtMs).toBeGreaterThanOrEqual(nextTickMs + 100);
      }),
    );
  });
});
