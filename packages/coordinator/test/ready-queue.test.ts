import fc from "fast-check";
import { expect, test } from "vitest";
import type { LiveTask } from "../src/core/ledger/index.ts";
import { ReadyQueue } from "../src/core/scheduler/ready-queue.ts";
import { before } from "../src/core/scheduler/task-heap.ts";

test("a queue gives the task of the highest priority, and of those the oldest, whatever came and went before", () => {
  const step = fc.option(fc.integer({ min: -2, max: 2 }), { nil: null });
  // Most come in turn.
  const earlier = fc.oneof(
    { weight: 3, arbitrary: fc.constant(0) },
    { weight: 1, arbitrary: fc.nat({ max: 50 }) },
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 120 }), fc.infiniteStream(earlier), (steps, ages) => {
      const queue = new ReadyQueue();
      const model: LiveTask[] = [];
      for (const [at, priority] of steps.entries()) {
        if (priority === null) {
          const first = model.sort((a, b) => (before(a, b) ? -1 : 1))[0] ?? null;
          expect(queue.peek()).toBe(first);
          expect(queue.pop()).toBe(first);
          model.shift();
        } else {
          // A task that had to be given out again is older than those that came meanwhile.
          const order = at - Number(ages.next().value) - at / 1_000;
          const task = { priority, order } as LiveTask;
          queue.push(task);
          model.push(task);
        }
        expect(queue.size).toBe(model.length);
      }
    }),
    { numRuns: 500 },
  );
});
