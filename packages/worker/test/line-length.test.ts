/** How many attempts wait in a worker's line. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { lineLength } from "../src/core/line-length.ts";

describe("a worker's line", () => {
  test("lasts for 50 ms where code runs inline", () => {
    expect(lineLength({ perMs: 0.2, apartPerMs: 0 })).toBe(10);
    expect(lineLength({ perMs: 20, apartPerMs: 0 })).toBe(1_000);
  });

  test("lasts for 250 ms where code runs in threads and processes, up to 64 attempts", () => {
    expect(lineLength({ perMs: 0.2, apartPerMs: 0.2 })).toBe(50);
    expect(lineLength({ perMs: 0.4, apartPerMs: 0.4 })).toBe(64);
  });

  test("lasts for 50 ms where that is more than 64 attempts", () => {
    expect(lineLength({ perMs: 2, apartPerMs: 2 })).toBe(100);
  });

  test("is never shorter for what runs apart than inline, nor longer than 250 ms of it", () => {
    const perMs = fc.double({ min: 0, max: 100, noNaN: true });
    fc.assert(
      fc.property(perMs, (rate) => {
        const length = lineLength({ perMs: rate, apartPerMs: rate });
        expect(length).toBeGreaterThanOrEqual(lineLength({ perMs: rate, apartPerMs: 0 }));
        expect(length).toBeLessThanOrEqual(Math.ceil(rate * 250));
      }),
    );
  });
});
