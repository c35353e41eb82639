/** What the thread of the probes reads of what the event loop wrote. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { type BegunEntry, BegunTable, begunMemory, readBegun, untilLimited } from "../src/begun-table.ts";
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

test("its reader sleeps until some code has a limit, and not while one has", async () => {
  const memory = begunMemory(2);
  const table = new BegunTable(memory);
  const told: string[] = [];
  const wait = async (name: string): Promise<void> => {
    await untilLimited(memory);
    told.push(name);
  };
  const turn = (): Promise<void> => new Promise((over) => setImmediate(over));
  const first = wait("first");
  const unlimited = table.add({ id: taskId(1), attempt: 1 });
  const limited = table.add({ id: taskId(2), attempt: 1 });
  await turn();
  expect(told).toEqual([]);
  limited.limit(1_000);
  await first;
  await wait("second");
  expect(told).toEqual(["first", "second"]);
  limited.ended();
  const third = wait("third");
  await turn();
  expect(told).toEqual(["first", "second"]);
  unlimited.limit(1_000);
  await third;
});
