/** Who stands when, and how often a leader ticks, where nothing lives in the ledger, and where something begins to. */
import fc from "fast-check";
import { beforeEach, describe, expect, test } from "vitest";
import { Bench } from "./leadership-bench.ts";

let bench: Bench;
beforeEach(() => {
  bench = new Bench();
  bench.live.size = 0;
});

describe("a standby", () => {
  test("is woken once a second, and not for that, while nothing lives and the leader ticks as often", async () => {
    bench.otherLeads();
    bench.leadership.start();
    await bench.play(1_000);
    const before = bench.wakeUps();
    for (let i = 0; i < 60; i++) {
      bench.fold({ type: "tick", mark: null });
      await bench.play(1_000);
    }
    expect(bench.wakeUps() - before).toBeLessThanOrEqual(61);
    expect(bench.probes).toBe(0);
    expect(bench.elections()).toEqual([]);
  });

  test("takes no leader of a cluster in which nothing lives for silent that misses a tick and one more", async () => {
    bench.otherLeads();
    bench.leadership.start();
    for (let i = 0; i < 20; i++) {
      bench.fold({ type: "tick", mark: null });
      await bench.play(3_050);
    }
    expect(bench.elections()).toEqual([]);
    const lastTickMs = bench.loop.nowMs - 3_050;
    await bench.play(3_000);
    const [stoodMs = 0] = bench.elections();
    expect(stoodMs - lastTickMs).toBeGreaterThan(4_000);
    expect(stoodMs - lastTickMs).toBeLessThanOrEqual(4_250);
  });

  test("that has just started, and hears nothing of a leader, stands after 2 s as where something lives", async () => {
    bench.otherLeads();
    bench.leadership.start();
    const startedMs = bench.loop.nowMs;
    // The log's server says that it has nothing to deliver.
    await bench.play(1_950);
    expect(bench.elections()).toEqual([]);
    await bench.play(2_000);
    const [stoodMs = Number.POSITIVE_INFINITY] = bench.elections();
    expect(stoodMs - startedMs).toBeGreaterThan(2_000);
    expect(stoodMs - startedMs).toBeLessThanOrEqual(2_250);
  });

  test("finds a leader gone that died while nothing lived, without a task to miss it", async () => {
    bench.otherLeads();
    bench.leadership.start();
    bench.fold({ type: "tick", mark: null });
    bench.leaderGone = true;
    await bench.play(1_050);
    expect(bench.probes).toBe(0);
    await bench.play(100);
    expect(bench.elections()).toHaveLength(1);
  });

  test.each([
    ["died", true, 650],
    ["was frozen", false, 2_250],
  ])(
    "misses a leader that %s while nothing lived as soon after the first task as if it had been busy",
    async (_, isGone, withinMs) => {
      const waits = fc.record({
        idleMs: fc.integer({ min: 0, max: 4_000 }),
        phaseMs: fc.integer({ min: 0, max: 1_000 }),
      });
      await fc.assert(
        fc.asyncProperty(waits, async ({ idleMs, phaseMs }) => {
          bench = new Bench();
          bench.live.size = 0;
          bench.otherLeads();
          bench.leadership.start();
          await bench.play(phaseMs);
          bench.fold({ type: "tick", mark: null });
          // It is not there from now on.
          bench.leaderGone = isGone;
          await bench.play(idleMs);
          const submittedMs = bench.loop.nowMs;
          bench.live.size = 1;
          bench.foldOther();
          await bench.play(3_000);
          const [stoodMs = Number.POSITIVE_INFINITY] = bench.elections();
          expect(stoodMs - submittedMs).toBeLessThanOrEqual(withinMs);
        }),
      );
    },
  );

  test("whose leader lives stands for no task, whenever the first one comes", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.integer({ min: 1, max: 3_000 }), { minLength: 1, maxLength: 6 }),
        async (waits) => {
          bench = new Bench();
          const leader = new Bench();
          leader.live.size = 0;
          leader.leadership.start();
          await leader.play(100);
          bench.live.size = 0;
          bench.otherLeads();
          bench.leadership.start();
          let told = leader.appends.length;
          for (const [i, waitMs] of waits.entries()) {
            for (let ms = 0; ms < waitMs; ms++) {
              await leader.play(1);
              await bench.play(1);
              for (; told < leader.appends.length; told++) bench.fold({ type: "tick", mark: null });
            }
            for (const each of [leader, bench]) {
              each.live.size = 1 - (i % 2);
              each.foldOther();
            }
          }
          expect(bench.probes).toBe(0);
          expect(bench.elections()).toEqual([]);
        },
      ),
      { numRuns: 20 },
    );
  });
});

test("a leader ticks each second while nothing lives, at once when something does if its last tick is old, and each half second then", async () => {
  const ticks = (): readonly number[] =>
    bench.appends.filter(({ event }) => event.type === "tick").map(({ atMs }) => atMs);
  bench.leadership.start();
  await bench.play(2_000);
  const idleMs = bench.loop.nowMs;
  await bench.play(10_000);
  const idle = ticks().filter((atMs) => atMs > idleMs);
  expect(idle).toHaveLength(10);
  await bench.play(700 - (bench.loop.nowMs - (idle.at(-1) ?? 0)));
  const aliveMs = bench.loop.nowMs;
  bench.live.size = 1;
  bench.foldOther();
  await bench.play(5_000);
  const [first = 0, ...rest] = ticks().filter((atMs) => atMs >= aliveMs);
  expect(first - aliveMs).toBeLessThanOrEqual(1);
  expect(rest.length).toBeGreaterThanOrEqual(9);
  for (const [i, atMs] of rest.entries()) expect(atMs - (rest[i - 1] ?? first)).toBeLessThan(600);
});
