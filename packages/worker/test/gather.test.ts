/** When outcomes that have gathered leave. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { GATHER_MS, leavesNow } from "../src/core/gather.ts";

describe("what has gathered", () => {
  test("leaves at once where nothing is queued, and so no slot stands still for it (G1)", () => {
    expect(leavesNow({ gathered: 1, queued: 0, gapMs: 0 })).toBe(true);
  });

  test("waits while more than twice as many are queued (G1)", () => {
    expect(leavesNow({ gathered: 5, queued: 11, gapMs: 0 })).toBe(false);
    expect(leavesNow({ gathered: 5, queued: 10, gapMs: 0 })).toBe(true);
  });

  test("leaves where outcomes come rarely (G3)", () => {
    expect(leavesNow({ gathered: 1, queued: 50, gapMs: GATHER_MS })).toBe(false);
    expect(leavesNow({ gathered: 1, queued: 50, gapMs: GATHER_MS + 1 })).toBe(true);
  });

  test("never takes more than a third of a line that nothing is added to, and one more (G1)", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 4_096 }), (line) => {
        let gathered = 1;
        while (!leavesNow({ gathered, queued: line - gathered, gapMs: 0 })) gathered++;
        expect(gathered).toBeLessThanOrEqual(Math.ceil(line / 3));
      }),
    );
  });
});
