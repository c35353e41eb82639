/** How what was held in a long run grew. */
import { expect, test } from "vitest";
import { growthOf } from "../../bench/soak/growth.ts";

const FILLING = [1, 40, 70, 90];

test("what grows until its level is reached, and no more, has not grown", () => {
  const samples = [...FILLING, ...Array<number>(12).fill(100)];
  expect(growthOf(samples, 1)).toEqual({ earlyBytes: 100, lateBytes: 100, growth: 1, bytesPerMinute: 0 });
});

test("what grows for ever tells by how much: quarter against quarter, and in a minute", () => {
  const samples = [...FILLING, ...Array.from({ length: 12 }, (_, index) => 100 + 10 * index)];
  const growth = growthOf(samples, 0.5);
  expect(growth).toMatchObject({ earlyBytes: 110, lateBytes: 190, bytesPerMinute: 20 });
  expect(growth.growth).toBeCloseTo(190 / 110);
});

test("one sample that is far off moves neither middle", () => {
  const samples = [...FILLING, ...Array<number>(12).fill(100)];
  samples[6] = 1_000;
  samples[14] = 1_000;
  expect(growthOf(samples, 1)).toMatchObject({ earlyBytes: 100, lateBytes: 100, growth: 1 });
});
