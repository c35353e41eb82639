/** The clock of real processes. */
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { systemClock } from "../src/clock.ts";

describe("every", () => {
  beforeEach(() => void vi.useFakeTimers({ now: 0 }));
  afterEach(() => void vi.useRealTimers());

  test("fires once a period, together with all whose periods divide, whenever they began", () => {
    const fired: string[] = [];
    const watch = (name: string, periodMs: number): void => {
      systemClock.every(periodMs, () => fired.push(`${name} ${performance.now()}`));
    };
    vi.advanceTimersByTime(507);
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

  test("fires no more once it is cancelled, also by what it calls", () => {
    let count = 0;
    const timer = systemClock.every(10, () => {
      if (++count === 3) timer.cancel();
    });
    vi.advanceTimersByTime(1_000);
    expect(count).toBe(3);
  });
});
