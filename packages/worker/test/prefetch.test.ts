/** How many attempts a worker offers to hold, by how fast they end. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { Prefetch } from "../src/core/prefetch.ts";

/** So many attempts end, one each `eachMs`, and the prefetch is looked at four times a second. */
function run(
  prefetch: Prefetch,
  { forMs, eachMs, isApart = false }: { forMs: number; eachMs: number; isApart?: boolean },
  fromMs = 0,
): void {
  let stepAtMs = fromMs + 250;
  for (let atMs = fromMs + eachMs; atMs <= fromMs + forMs; atMs += eachMs) {
    for (; stepAtMs <= atMs; stepAtMs += 250) prefetch.step(stepAtMs);
    prefetch.finished(atMs, isApart);
  }
}

describe("a worker's credits", () => {
  test("are its slots and twice as many while nothing is known", () => {
    expect(new Prefetch({ slots: 2, fixed: null }).credits).toBe(6);
  });

  test("follow what ends in 50 ms (P1)", () => {
    const prefetch = new Prefetch({ slots: 2, fixed: null });
    run(prefetch, { forMs: 3_000, eachMs: 0.125 });
    expect(prefetch.credits).toBeGreaterThanOrEqual(2 + 350);
    expect(prefetch.credits).toBeLessThanOrEqual(2 + 450);
  });

  test("stay low where tasks take long: they are for others too", () => {
    const prefetch = new Prefetch({ slots: 2, fixed: null });
    run(prefetch, { forMs: 10_000, eachMs: 50 });
    expect(prefetch.credits).toBe(6);
  });

  test("follow what ends in 250 ms where code runs apart (P1)", () => {
    const prefetch = new Prefetch({ slots: 2, fixed: null });
    run(prefetch, { forMs: 2_000, eachMs: 5, isApart: true });
    expect(prefetch.credits).toBeGreaterThanOrEqual(2 + 45);
    expect(prefetch.credits).toBeLessThanOrEqual(2 + 55);
  });

  test("stay as they are while tasks end a little slower: nothing is given back for chance", () => {
    const prefetch = new Prefetch({ slots: 2, fixed: null });
    run(prefetch, { forMs: 2_000, eachMs: 5, isApart: true });
    const { credits } = prefetch;
    run(prefetch, { forMs: 2_000, eachMs: 5.5, isApart: true }, 2_000);
    expect(prefetch.credits).toBe(credits);
  });

  test("grow fourfold at once at most, and say so (P1)", () => {
    const prefetch = new Prefetch({ slots: 1, fixed: null });
    const grown: number[] = [];
    for (let count = 1; count <= 2_000; count++) {
      if (prefetch.finished(count * 0.01, false)) grown.push(prefetch.credits);
    }
    expect(grown.slice(0, 3)).toEqual([13, 53, 213]);
  });

  test("shrink by half in each step, to what they were (P2)", () => {
    const prefetch = new Prefetch({ slots: 2, fixed: null });
    run(prefetch, { forMs: 3_000, eachMs: 0.125 });
    const before = prefetch.credits - 2;
    prefetch.step(3_001);
    expect(prefetch.step(3_251)).toBe(true);
    expect(prefetch.credits - 2).toBeGreaterThanOrEqual(Math.floor(before / 4));
    for (let atMs = 3_501; atMs < 8_000; atMs += 250) prefetch.step(atMs);
    expect(prefetch.credits).toBe(6);
    expect(prefetch.step(8_001)).toBe(false);
  });

  test("are bounded by the bytes that wait with them", () => {
    const prefetch = new Prefetch({ slots: 2, fixed: null });
    for (let count = 0; count < 1_000; count++) prefetch.taken(1024 * 1024);
    run(prefetch, { forMs: 3_000, eachMs: 0.125 });
    expect(prefetch.credits).toBe(2 + 16);
  });

  test("are what was asked for, however fast tasks end", () => {
    const prefetch = new Prefetch({ slots: 2, fixed: 10 });
    run(prefetch, { forMs: 3_000, eachMs: 0.125 });
    expect(prefetch.credits).toBe(12);
    expect(prefetch.creditsMax).toBe(12);
  });

  test("never leave their bounds, whatever happens (P1, P2)", () => {
    const act = fc.record({ waitMs: fc.nat({ max: 300 }), ends: fc.nat({ max: 5_000 }), bytes: fc.nat() });
    fc.assert(
      fc.property(fc.array(act, { maxLength: 40 }), fc.integer({ min: 1, max: 64 }), (acts, slots) => {
        const prefetch = new Prefetch({ slots, fixed: null });
        let nowMs = 0;
        for (const { waitMs, ends, bytes } of acts) {
          nowMs += waitMs;
          prefetch.taken(bytes);
          for (let count = 0; count < ends; count++) prefetch.finished(nowMs, ends % 2 === 0);
          if (waitMs > 100) prefetch.step(nowMs);
          expect(prefetch.credits).toBeGreaterThanOrEqual(3 * slots);
          expect(prefetch.credits).toBeLessThanOrEqual(prefetch.creditsMax);
          expect(Number.isInteger(prefetch.credits)).toBe(true);
        }
      }),
    );
  });
});
