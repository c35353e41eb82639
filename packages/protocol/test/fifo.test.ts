import fc from "fast-check";
import { expect, test } from "vitest";
import { Fifo } from "../src/index.ts";

test("what came first goes first, whatever came and went before", () => {
  const step = fc.oneof(
    { arbitrary: fc.constant("push"), weight: 3 },
    fc.constant("shift"),
    fc.constant("many"),
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const fifo = new Fifo<string>();
      const model: string[] = [];
      let next = 0;
      const push = (): void => {
        const item = String(next++);
        fifo.push(item);
        model.push(item);
      };
      for (const each of steps) {
        if (each === "push") push();
        else if (each === "shift") expect(fifo.shift()).toBe(model.shift() ?? null);
        else {
          for (let i = 0; i < 1_000; i++) push();
          for (let i = 0; i < 900; i++) expect(fifo.shift()).toBe(model.shift());
        }
        expect([fifo.size, fifo.first]).toEqual([model.length, model[0] ?? null]);
      }
      expect([...fifo]).toEqual(model);
      fifo.clear();
      expect([fifo.size, fifo.first, [...fifo]]).toEqual([0, null, []]);
    }),
  );
});

test("one that never runs empty keeps nothing of what went, nor a place for it", () => {
  const fifo = new Fifo<string>();
  const { items } = fifo as unknown as { items: readonly (string | null)[] };
  fifo.push("a");
  fifo.push("b");
  fifo.shift();
  expect(items).toEqual([null, "b"]);
  const placesOf = (): number => (fifo as unknown as { items: readonly unknown[] }).items.length;
  for (let i = 0; i < 100_000; i++) {
    fifo.push("c");
    fifo.shift();
  }
  expect(fifo.size).toBe(1);
  expect(placesOf()).toBeLessThanOrEqual(2_048);
});
