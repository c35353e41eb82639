/** Tasks by id: what a map would have, whatever was added and deleted before. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { heldBytes } from "../../testing/src/index.ts";
import { TaskId, TaskTable } from "../src/index.ts";

type Task = { readonly id: TaskId };
const idOf = (n: number): TaskId => TaskId.parse(`00aaaa${String(n).padStart(16, "0")}`);
const idsOf = (tasks: Iterable<Task>): TaskId[] => [...tasks].map(({ id }) => id);

const step = fc.record({
  /** Deleted where it is there, else added. */
  first: fc.nat({ max: 400 }),
  count: fc.nat({ max: 300 }),
});

test("it has what a map has, in the same order, whatever comes and goes", () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 30 }), (steps) => {
      const table = new TaskTable<Task>();
      const map = new Map<TaskId, Task>();
      for (const { first, count } of steps) {
        for (let n = first; n < first + count; n++) {
          const id = idOf(n);
          expect([table.get(id), table.has(id)]).toEqual([map.get(id), map.has(id)]);
          const known = map.get(id);
          if (map.delete(id)) expect(table.delete(id)).toBe(known);
          else {
            const task = { id };
            map.set(id, task);
            table.add(task);
          }
        }
        expect(table.size).toBe(map.size);
        expect([...table]).toEqual([...map.values()]);
      }
      for (let n = 0; n < 700; n++) expect(table.get(idOf(n))).toBe(map.get(idOf(n)));
      table.clear();
      expect([table.size, [...table], table.get(idOf(0))]).toEqual([0, [], undefined]);
    }),
    { numRuns: 100 },
  );
});

test("what is not there is neither found nor deleted", () => {
  const table = new TaskTable<Task>();
  table.add({ id: idOf(1) });
  expect(table.delete(idOf(2))).toBe(undefined);
  expect([table.size, table.get(idOf(2))]).toEqual([1, undefined]);
});

test("all have their turn, those that are added meanwhile too, and nobody twice in a round", () => {
  const table = new TaskTable<Task>();
  for (let n = 0; n < 1_000; n++) table.add({ id: idOf(n) });
  expect(idsOf(table.inTurn(400))).toEqual(Array.from({ length: 400 }, (_, n) => idOf(n)));
  // So many leave that the others move up.
  for (let n = 0; n < 950; n++) if (n !== 100) table.delete(idOf(n));
  table.add({ id: idOf(1_000) });
  expect(idsOf(table.inTurn(400))).toEqual([
    ...Array.from({ length: 51 }, (_, n) => idOf(950 + n)),
    idOf(100),
  ]);
  expect(table.inTurn(0)).toEqual([]);
  expect(new TaskTable<Task>().inTurn(10)).toEqual([]);
});

test("a place takes few bytes, and none once most have left", () => {
  const tasks = Array.from({ length: 100_000 }, (_, n) => ({ id: idOf(n) }));
  const before = heldBytes().all;
  const table = new TaskTable<Task>();
  for (const task of tasks) table.add(task);
  expect((heldBytes().all - before) / tasks.length).toBeLessThan(40);
  for (const task of tasks.slice(1)) table.delete(task.id);
  expect((heldBytes().all - before) / tasks.length).toBeLessThan(1);
  expect(idsOf(table)).toEqual([idOf(0)]);
});
