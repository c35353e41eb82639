/** Time and processes of the simulation: what a seed plays is the same each time, and a dead process stays dead. */
import { describe, expect, test } from "vitest";
import { Dice, EPOCH_MS, SimLoop, SimProcess } from "../../src/simulation/index.ts";

const processOf = (loop: SimLoop): SimProcess => new SimProcess("a", loop, new Dice(1));

describe("a loop", () => {
  test("plays events in the order of their moments, those of one moment as they were set, and promises between", async () => {
    const loop = new SimLoop();
    const seen: string[] = [];
    loop.after(20, () => void seen.push("c"));
    loop.after(10, () => {
      seen.push("a");
      void Promise.resolve().then(async () => {
        await Promise.resolve();
        seen.push("a's promise");
      });
    });
    loop.after(10, () => void seen.push("b"));
    loop.after(15, () => void seen.push("cancelled")).cancel();
    expect(await loop.play(100)).toBe(false);
    expect(seen).toEqual(["a", "a's promise", "b", "c"]);
    expect(loop.nowMs).toBe(100);
  });

  test("stops where the test says that it is done, and goes on from there", async () => {
    const loop = new SimLoop();
    const seen: number[] = [];
    for (const at of [1, 2, 3]) loop.after(at, () => void seen.push(at));
    expect(await loop.play(10, () => seen.length === 2)).toBe(true);
    expect(seen).toEqual([1, 2]);
    await loop.play(10);
    expect(seen).toEqual([1, 2, 3]);
  });
});

describe("a process", () => {
  test("that is frozen takes what reached it when it goes on, in order, and timers late", async () => {
    const loop = new SimLoop();
    const process = processOf(loop);
    const seen: string[] = [];
    process.clock.after(10, () => void seen.push(`timer at ${loop.nowMs}`));
    loop.after(5, () => process.freeze(50));
    loop.after(20, () => process.deliver(() => void seen.push(`message at ${loop.nowMs}`)));
    await loop.play(100);
    expect(seen).toEqual(["timer at 55", "message at 55"]);
  });

  test("that is killed does nothing more, frozen or not", async () => {
    const loop = new SimLoop();
    const process = processOf(loop);
    const seen: string[] = [];
    process.clock.after(10, () => void seen.push("timer"));
    process.clock.every(3, () => void seen.push("tick"));
    process.freeze(20);
    process.deliver(() => void seen.push("message"));
    loop.after(5, () => process.kill());
    await loop.play(100);
    expect(seen).toEqual([]);
  });

  test("has clocks that may run wrong, and a monotonic one that never goes back", async () => {
    const loop = new SimLoop();
    const process = processOf(loop);
    const seen: number[] = [];
    process.clock.every(10, () => void seen.push(process.clock.nowMs()));
    loop.after(45, () => process.setClockFault({ rate: 0.5, offsetMs: -3_600_000 }));
    await loop.play(100);
    expect(seen).toEqual([10, 20, 30, 40, 47.5, 57.5, 67.5].slice(0, seen.length));
    expect(seen).toEqual(seen.toSorted((a, b) => a - b));
    expect(process.clock.wallMs()).toBe(Math.floor(EPOCH_MS + process.clock.nowMs() - 3_600_000));
  });

  test("draws the same from the same seed", () => {
    const draw = (): string[] => {
      const process = new SimProcess("a", new SimLoop(), new Dice(7));
      const { entropy } = process;
      return [entropy.token(16), String(entropy.below(1_000)), String.fromCharCode(entropy.character())];
    };
    expect(draw()).toEqual(draw());
    expect(draw()[0]).toMatch(/^[A-Za-z0-9_-]{16}$/);
    expect(draw()[2]).toMatch(/^[A-Za-z0-9_-]$/);
  });
});
