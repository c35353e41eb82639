/** The clock of real processes. */
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { commonClock, systemClock, type Timer } from "../src/clock.ts";

describe("every", () => {
  beforeEach(() => void vi.useFakeTimers({ now: 0 }));
  afterEach(() => {
    for (const timer of timers.splice(0)) timer.cancel();
    vi.useRealTimers();
  });
  const timers: Timer[] = [];
  const every = (periodMs: number, act: () => void, clock = systemClock): Timer => {
    const timer = clock.every(periodMs, act);
    timers.push(timer);
    return timer;
  };

  test("fires once a period, together with all whose periods divide, whenever they began", () => {
    const fired: string[] = [];
    const startMs = Math.ceil(commonClock.nowMs() / 1_000) * 1_000;
    const watch = (name: string, periodMs: number): void => {
      const act = (): void => void fired.push(`${name} ${Math.floor(commonClock.nowMs() - startMs)}`);
      every(periodMs, act, commonClock);
    };
    vi.advanceTimersByTime(startMs + 507 - commonClock.nowMs());
    watch("a", 50);
    vi.advanceTimersByTime(20);
    watch("b", 50);
    watch("c", 200);
    vi.advanceTimersByTime(300);
    expect(fired.filter((each) => each.startsWith("a"))).toEqual(
      [550, 600, 650, 700, 750, 800].map((ms) => `a ${ms}`),
    );
    expect(fired.filter((each) => each.startsWith("b"))).toEqual(
      [600, 650, 700, 750, 800].map((ms) => `b ${ms}`),
    );
    expect(fired.filter((each) => each.startsWith("c"))).toEqual(["c 800"]);
  });

  test("fires in one call all that is due at one moment", async () => {
    const fired: string[] = [];
    for (const name of ["a", "b"])
      every(500, () => {
        queueMicrotask(() => fired.push("what follows"));
        fired.push(name);
      });
    await vi.advanceTimersByTimeAsync(500);
    expect(fired).toEqual(["a", "b", "what follows", "what follows"]);
  });

  test("fires what is not cancelled, whatever else at the same moment cancels", () => {
    const fired: string[] = [];
    every(500, () => {
      fired.push("a");
      b.cancel();
    });
    const b = every(500, () => fired.push("b"));
    every(500, () => fired.push("c"));
    vi.advanceTimersByTime(1_000);
    expect(fired).toEqual(["a", "c", "a", "c"]);
  });

  test("fires the others where one throws, and that one again", () => {
    const thrown: (() => void)[] = [];
    vi.stubGlobal("queueMicrotask", (act: () => void) => thrown.push(act));
    const fired: string[] = [];
    every(500, () => {
      fired.push("a");
      throw new Error("of a");
    });
    every(500, () => fired.push("b"));
    vi.advanceTimersByTime(1_000);
    vi.unstubAllGlobals();
    expect(fired).toEqual(["a", "b", "a", "b"]);
    expect(thrown).toHaveLength(2);
    for (const act of thrown) expect(act).toThrow("of a");
  });

  test.each([500, 1_000])(
    "of a process on its own fires 10 to 90 ms before a moment of the common clock, each %d ms",
    (periodMs) => {
      let count = 0;
      every(periodMs, () => {
        count++;
        const aheadMs = periodMs - (commonClock.nowMs() % periodMs);
        expect(aheadMs).toBeGreaterThan(8);
        expect(aheadMs).toBeLessThan(91);
      });
      vi.advanceTimersByTime(4 * periodMs);
      expect(count).toBeGreaterThanOrEqual(3);
    },
  );

  test("of the common clock fires at the multiples of the time of day, as in every process of the machine", () => {
    vi.setSystemTime(1_700_000_000_100);
    const fired: number[] = [];
    every(500, () => fired.push(commonClock.nowMs() % 500), commonClock);
    vi.advanceTimersByTime(2_000);
    expect(fired.length).toBeGreaterThanOrEqual(3);
    for (const each of fired) expect(each).toBeLessThan(1);
  });

  test("fires no more once it is cancelled, also by what it calls", () => {
    let count = 0;
    const timer = every(10, () => {
      if (++count === 3) timer.cancel();
    });
    vi.advanceTimersByTime(1_000);
    expect(count).toBe(3);
  });
});
