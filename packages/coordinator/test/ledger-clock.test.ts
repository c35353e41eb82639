/** The ledger's clock under clocks that are wrong: what is set for a moment may come late, and early by little. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { LedgerClock } from "../src/core/ledger/clock.ts";

const SECOND_MS = 1_000;
const HOUR_MS = 3_600_000;
const START_MS = 1_700_000_000_000;

/** A control record: how long after the one before, by a right clock, and what the wrong clock is off by then. */
type Tick = { readonly afterMs: number; readonly offMs: number };

const offset = fc.oneof(
  fc.constant(0),
  // As far as time zones go.
  fc.integer({ min: -14 * HOUR_MS, max: 14 * HOUR_MS }),
  fc.integer({ min: -3 * SECOND_MS, max: 3 * SECOND_MS }),
);
/** Wrong for a while in one way, then in another; and pauses in which nobody leads. */
const ticks: fc.Arbitrary<Tick[]> = fc
  .array(
    fc.record({
      offMs: offset,
      after: fc.array(
        fc.oneof(
          { weight: 8, arbitrary: fc.integer({ min: 0, max: 2 * SECOND_MS }) },
          { weight: 1, arbitrary: fc.integer({ min: 0, max: HOUR_MS / 12 }) },
        ),
        { minLength: 1, maxLength: 12 },
      ),
    }),
    { minLength: 1, maxLength: 8 },
  )
  .map((spans) => spans.flatMap(({ offMs, after }) => after.map((afterMs) => ({ afterMs, offMs }))));

type Moment = { readonly trueMs: number; readonly nowMs: number; readonly jumps: number };

/** What the clock says after each record. `jumps` counts how often the wrong clock went forward by more than time did. */
function play(all: readonly Tick[], wrong: "stamp" | "wall" | "both"): Moment[] {
  const clock = new LedgerClock();
  let trueMs = START_MS;
  let jumps = 0;
  let before = 0;
  return all.map(({ afterMs, offMs }, index) => {
    trueMs += afterMs;
    if (index > 0 && offMs > before) jumps++;
    before = offMs;
    const wrongMs = trueMs + offMs;
    clock.advance(wrong === "wall" ? trueMs : wrongMs, wrong === "stamp" ? trueMs : wrongMs);
    return { trueMs, nowMs: clock.nowMs, jumps };
  });
}

/** While it makes good what it is behind by it runs by an eighth faster. */
const atMostMs = (passedMs: number): number => passedMs + passedMs / 8;

describe("a clock of the ledger", () => {
  test("goes on by the stream's stamps where the leader's clock stands still", () => {
    const clock = new LedgerClock();
    expect([clock.started, clock.nowMs]).toEqual([false, 0]);
    for (let passedMs = 0; passedMs <= 60_000; passedMs += 1_000)
      clock.advance(5_000_000 + passedMs, 5_000_000);
    expect(clock.nowMs).toBe(5_060_000);
  });

  test("is right where both clocks are, across pauses too", () => {
    fc.assert(
      fc.property(ticks, (all) => {
        const right = all.map((tick) => ({ ...tick, offMs: 0 }));
        for (const { trueMs, nowMs } of play(right, "both")) expect(nowMs).toBe(trueMs);
      }),
    );
  });

  test("never goes back, whatever both clocks say", () => {
    fc.assert(
      fc.property(ticks, (all) => {
        const moments = play(all, "both");
        for (const [i, { nowMs }] of moments.entries())
          expect(nowMs).toBeGreaterThanOrEqual(moments[i - 1]?.nowMs ?? 0);
      }),
    );
  });

  test("a leader's clock that is wrong, in whatever way and however often, lets nothing come early by more than an eighth", () => {
    fc.assert(
      fc.property(ticks, (all) => {
        const moments = play(all, "wall");
        for (const [i, since] of moments.entries())
          for (const { trueMs, nowMs } of moments.slice(i))
            expect(nowMs - since.nowMs).toBeLessThanOrEqual(atMostMs(trueMs - since.trueMs));
      }),
      { numRuns: 500 },
    );
  });

  test("a clock of NATS that is wrong lets things come early by two seconds and an eighth each time that it jumps forward", () => {
    fc.assert(
      fc.property(ticks, (all) => {
        const moments = play(all, "stamp");
        for (const [i, since] of moments.entries())
          for (const { trueMs, nowMs, jumps } of moments.slice(i))
            expect(nowMs - since.nowMs).toBeLessThanOrEqual(
              atMostMs(trueMs - since.trueMs + (jumps - since.jumps) * 2 * SECOND_MS),
            );
      }),
      { numRuns: 500 },
    );
  });

  test("a leader's clock that is wrong makes nothing late while somebody leads", () => {
    fc.assert(
      fc.property(ticks, (all) => {
        const short = all.map((tick) => ({ ...tick, afterMs: Math.min(tick.afterMs, 2 * SECOND_MS) }));
        const [first, ...later] = play(short, "wall");
        for (const { trueMs, nowMs } of later)
          expect(nowMs - (first?.nowMs ?? 0)).toBeGreaterThanOrEqual(trueMs - (first?.trueMs ?? 0));
      }),
    );
  });

  test("makes good what it is behind by: an hour in eight", () => {
    const slow = { afterMs: 0, offMs: -HOUR_MS };
    const right = Array.from({ length: 8 * 3_600 + 1 }, () => ({ afterMs: SECOND_MS, offMs: 0 }));
    for (const wrong of ["stamp", "wall"] as const) {
      const { trueMs, nowMs } = play([slow, ...right], wrong).at(-1) ?? { trueMs: 0, nowMs: 1 };
      expect(nowMs).toBe(trueMs);
    }
  });

  test("of a cluster that began before its clocks were set is where they are once they are set", () => {
    const unset = { afterMs: 0, offMs: -START_MS };
    const { trueMs, nowMs } = play([unset, { afterMs: 500, offMs: 0 }], "stamp").at(-1) ?? {
      trueMs: 0,
      nowMs: 1,
    };
    expect(nowMs).toBe(trueMs);
  });

  test("two clocks that both go wrong between two records cannot be told from a pause: it goes as far as both say", () => {
    const moments = play(
      [
        { afterMs: 0, offMs: 0 },
        { afterMs: 500, offMs: HOUR_MS },
      ],
      "both",
    );
    expect(moments.at(-1)?.nowMs).toBe(START_MS + 500 + HOUR_MS);
  });

  test("two clocks that go wrong one after the other let things come early by two seconds and an eighth", () => {
    const clock = new LedgerClock();
    clock.advance(START_MS, START_MS);
    clock.advance(START_MS + 500, START_MS + 500 + HOUR_MS);
    for (let passedMs = 1_000; passedMs <= 600_000; passedMs += 500)
      clock.advance(START_MS + passedMs + HOUR_MS, START_MS + passedMs + HOUR_MS);
    expect(clock.nowMs - START_MS).toBeLessThanOrEqual(atMostMs(600_000 + 2 * SECOND_MS));
  });
});
