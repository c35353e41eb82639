/** When a thread is ended for its heap, on simulated time. */
import type { Clock } from "@weft/transport";
import { expect, test } from "vitest";
import { FakeBus } from "../../testing/src/simulation/fake-bus.ts";
import { HeapWatch, heapLimits } from "../src/executors/heap-watch.ts";

const MIB = 1024 ** 2;
const limits = heapLimits(64);

/** Measures what the heap has at each moment; when the watch said that it is full, null where it never did. */
async function fullAtMs(heapAt: (ms: number) => number, forMs: number): Promise<number | null> {
  const bus = new FakeBus();
  const { clock } = bus.connection("worker", bus.process("w1"));
  let atMs: number | null = null;
  const watch = new HeapWatch({
    clock,
    limits,
    measure: async () => ({ used_heap_size: heapAt(clock.nowMs()) }),
    onFull: () => {
      atMs = clock.nowMs();
    },
  });
  watch.start();
  await bus.loop.play(forMs);
  watch.stop();
  return atMs;
}

test("limits leave room for garbage below the end, and for the last resort of V8 above it", () => {
  expect(limits).toEqual({
    oldGenerationMb: 64 + 4 * 64,
    usedBytesMax: (64 + 64 + 32) * MIB,
    usedBytesEnd: (64 + 3 * 64 + 32) * MIB,
  });
});

test("a heap that shrinks within a second, however often it grows, is let be", async () => {
  const sawtooth = (ms: number): number => (ms % 1_000 < 950 ? 200 * MIB : 60 * MIB);
  expect(await fullAtMs(sawtooth, 20_000)).toBeNull();
});

test("a heap that stays above for a second is full, and one that goes far beyond is at once", async () => {
  expect(await fullAtMs(() => 161 * MIB, 5_000)).toBeGreaterThanOrEqual(1_000);
  expect(await fullAtMs(() => 161 * MIB, 5_000)).toBeLessThan(1_100);
  expect(await fullAtMs((ms) => (ms < 500 ? 0 : 300 * MIB), 5_000)).toBeLessThan(600);
});

test("short runs one after another have one timer, which goes when they do, and are not measured", async () => {
  const bus = new FakeBus();
  const { clock } = bus.connection("worker", bus.process("w1"));
  let timers = 0;
  let made = 0;
  let measured = 0;
  const every: Clock["every"] = (...given) => {
    made++;
    timers++;
    const timer = clock.every(...given);
    return {
      cancel: () => {
        timers--;
        timer.cancel();
      },
    };
  };
  const measure = async () => {
    measured++;
    return { used_heap_size: 0 };
  };
  const watch = new HeapWatch({ clock: { ...clock, every }, limits, measure, onFull: () => undefined });
  for (let run = 0; run < 100; run++) {
    watch.start();
    await bus.loop.play(bus.loop.nowMs + 10);
    watch.stop();
  }
  expect([made, timers, measured]).toEqual([1, 1, 0]);
  await bus.loop.play(bus.loop.nowMs + 50);
  expect(timers).toBe(0);

  watch.start();
  await bus.loop.play(bus.loop.nowMs + 100);
  expect(measured).toBeGreaterThanOrEqual(3);
  watch.close();
  expect(timers).toBe(0);
});

test("what is measured of code that has ended meanwhile is not held against what runs now", async () => {
  const bus = new FakeBus();
  const { clock } = bus.connection("worker", bus.process("w1"));
  const measurement = Promise.withResolvers<{ used_heap_size: number }>();
  const full: number[] = [];
  const onFull = (): void => void full.push(clock.nowMs());
  const watch = new HeapWatch({ clock, limits, measure: () => measurement.promise, onFull });
  watch.start();
  await bus.loop.play(bus.loop.nowMs + 50);
  watch.stop();
  watch.start();
  measurement.resolve({ used_heap_size: 1_000 * MIB });
  await bus.loop.play(bus.loop.nowMs);
  expect(full).toEqual([]);
  watch.close();
});
