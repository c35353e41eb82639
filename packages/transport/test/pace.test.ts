/** The beat in which a process looks at others, on simulated time. */

import fc from "fast-check";
import { expect, test } from "vitest";
import { Dice } from "../../testing/src/simulation/dice.ts";
import { SimLoop, SimProcess } from "../../testing/src/simulation/index.ts";
import { AwakeTime, Pace } from "../src/index.ts";

class Bench {
  readonly loop = new SimLoop();
  readonly process: SimProcess = new SimProcess("p1", this.loop, new Dice(1));
  readonly beats: number[] = [];
  isBusy = false;
  readonly pace: Pace = new Pace({ clock: this.process.clock, isBusy: () => this.isBusy });

  constructor() {
    this.pace.onBeat(() => void this.beats.push(this.loop.nowMs));
  }

  async play(ms: number): Promise<void> {
    await this.loop.play(this.loop.nowMs + ms);
  }

  become(isBusy: boolean): void {
    this.isBusy = isBusy;
    this.pace.advanced();
  }
}

const gaps = (times: readonly number[]): number[] => times.slice(1).map((at, i) => at - (times[i] ?? 0));

test("a process beats each second, each half second while it is busy, and each second again", async () => {
  const bench = new Bench();
  await bench.play(5_010);
  bench.become(true);
  await bench.play(5_000);
  bench.become(false);
  await bench.play(5_000);
  const within = (fromMs: number, toMs: number): number[] =>
    gaps(bench.beats.filter((at) => at >= fromMs && at <= toMs));
  expect(new Set(within(1_000, 5_010))).toEqual(new Set([1_000]));
  expect(new Set(within(5_010, 10_010))).toEqual(new Set([500]));
  expect(new Set(within(11_000, 15_010))).toEqual(new Set([1_000]));
  expect(bench.pace.periodMs).toBe(1_000);
});

test("one that becomes busy beats at once if it has not for half a second, and is never 600 ms without a beat from then on", async () => {
  const moment = fc.record({
    idleMs: fc.integer({ min: 0, max: 2_500 }),
    busyMs: fc.integer({ min: 0, max: 2_500 }),
  });
  await fc.assert(
    fc.asyncProperty(fc.array(moment, { minLength: 1, maxLength: 10 }), async (moments) => {
      const bench = new Bench();
      for (const { idleMs, busyMs } of moments) {
        await bench.play(idleMs);
        const last = bench.beats.at(-1) ?? 0;
        const fromMs = bench.loop.nowMs;
        bench.become(true);
        await bench.play(busyMs);
        const toMs = bench.loop.nowMs;
        const beats = bench.beats.filter((at) => at >= fromMs);
        const [first = Number.POSITIVE_INFINITY] = beats;
        if (busyMs > 500) expect(first).toBeLessThanOrEqual(Math.max(fromMs, last + 500) + 1);
        for (const gap of gaps([...beats, toMs])) expect(gap).toBeLessThan(600);
        bench.become(false);
      }
    }),
    { numRuns: 100 },
  );
});

test("one that is busy again and again for less than a moment beats as often as one that is busy, and no more", async () => {
  const bench = new Bench();
  for (let i = 0; i < 1_000; i++) {
    bench.become(true);
    bench.become(false);
    await bench.play(10);
  }
  expect(bench.beats.length).toBeGreaterThanOrEqual(18);
  expect(bench.beats.length).toBeLessThanOrEqual(21);
});

test("what an act throws ends no beat to come", async () => {
  const bench = new Bench();
  let thrown = 0;
  bench.pace.onBeat(() => {
    thrown++;
    throw new Error("of an act");
  });
  for (let i = 0; i < 3; i++) await bench.play(1_500).catch(() => undefined);
  expect(thrown).toBeGreaterThanOrEqual(3);
});

test("nothing is due any more once it is closed, and what is cancelled not before that", async () => {
  const bench = new Bench();
  let count = 0;
  const timer = bench.pace.onBeat(() => {
    if (++count === 2) timer.cancel();
  });
  await bench.play(5_000);
  expect(count).toBe(2);
  bench.become(true);
  bench.pace.close();
  bench.become(true);
  const before = bench.loop.played;
  await bench.play(5_000);
  expect(bench.loop.played).toBe(before);
});

test.each([
  ["idle", false, 1_100],
  ["busy", true, 600],
])(
  "of a pause of a process that is %s no more counts as time awake than its beat and a little",
  async (_, isBusy, mostMs) => {
    const bench = new Bench();
    const { clock } = bench.process;
    const awake = new AwakeTime({ clock, pace: bench.pace, hears: () => true });
    bench.become(isBusy);
    await bench.play(10_000);
    // All of the time, whenever it is read.
    expect(awake.nowMs).toBeCloseTo(10_000);
    await bench.play(300);
    const beforeMs = awake.nowMs;
    bench.process.freeze(60_000);
    await bench.play(60_000);
    expect(awake.nowMs - beforeMs).toBeLessThanOrEqual(mostMs);
  },
);

test("time awake is whole where a process becomes busy, and idle again, at any moment", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.integer({ min: 0, max: 2_000 }), { maxLength: 20 }), async (waits) => {
      const bench = new Bench();
      const { clock } = bench.process;
      const awake = new AwakeTime({ clock, pace: bench.pace, hears: () => true });
      for (const ms of waits) {
        await bench.play(ms);
        bench.become(!bench.isBusy);
      }
      await bench.play(1_500);
      expect(awake.nowMs).toBeCloseTo(bench.loop.nowMs);
    }),
  );
});
