/** What the thread of the probes reads of what the event loop wrote. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { type BegunEntry, BegunTable, begunMemory, readBegun } from "../src/begun-table.ts";
import { taskId } from "./assignment.ts";

test("it holds exactly what has begun and not ended, whatever begins and ends", () => {
  fc.assert(
    fc.property(fc.array(fc.nat({ max: 200 }), { maxLength: 300 }), (steps) => {
      const memory = begunMemory(4);
      const table = new BegunTable(memory);
      const running = new Map<number, BegunEntry>();
      for (const step of steps) {
        const entry = running.get(step);
        if (entry === undefined) running.set(step, table.add({ id: taskId(step), attempt: step + 1 }));
        else {
          entry.ended();
          running.delete(step);
        }
      }
      const begun = readBegun(memory);
      // Beyond its places it says that it does not know.
      if (running.size <= 68 && begun !== null) {
        expect(begun.map(({ id, attempt }) => `${id} ${attempt}`).toSorted()).toEqual(
          [...running.keys()].map((step) => `${taskId(step)} ${step + 1}`).toSorted(),
        );
      } else expect(begun).toBe(null);
    }),
  );
});

test("it knows again once those beyond its places have ended", () => {
  const memory = begunMemory(1);
  const table = new BegunTable(memory);
  const entries = Array.from({ length: 70 }, (_, i) => table.add({ id: taskId(i), attempt: 1 }));
  expect(readBegun(memory)).toBe(null);
  for (const entry of entries) entry.ended();
  expect(readBegun(memory)).toEqual([]);
});
