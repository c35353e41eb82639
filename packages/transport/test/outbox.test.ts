import fc from "fast-check";
import { beforeEach, describe, expect, test } from "vitest";
import { Outbox, type OutboxItem, type OutboxRecord } from "../src/index.ts";

type Item = OutboxItem & { readonly name: string };
type Kind = "submit" | "cancel";

function item(name: string | number, bytes = 1): Item {
  const nothing = (): undefined => undefined;
  return { name: String(name), bytes, acknowledged: nothing, abandoned: nothing };
}

const LIMITS = { windowMax: 2, fullWindowMax: 2, spanMax: 5, recordBytesMax: 10, recordItemsMax: 3 };
let outbox: Outbox<Kind, Item>;
beforeEach(() => {
  outbox = new Outbox(LIMITS);
});

function add(kind: Kind, ...items: readonly Item[]): void {
  for (const each of items) outbox.add(kind, each);
}

const told = (record: OutboxRecord<Kind, Item> | null): string | null =>
  record && `${record.number} ${record.kind}: ${record.items.map(({ name }) => name).join(" ")}`;

test("keeps nothing of what has left, also where it never runs empty", () => {
  const { waiting } = outbox as unknown as Record<string, { readonly items: readonly unknown[] }>;
  add("submit", item("a", 10), item("b", 10));
  for (let number = 1; number <= 10_000; number++) {
    add("submit", item(number, 10));
    expect(outbox.take()).not.toBeNull();
    outbox.settle(number);
  }
  expect(outbox.waitingCount).toBe(2);
  expect(waiting?.items.length).toBeLessThanOrEqual(2_048);
  expect(waiting?.items.filter((item) => item !== null)).toHaveLength(2);
});

test("gives up however many wait", () => {
  const many = 500_000;
  const each = item("a");
  for (let i = 0; i < many; i++) outbox.add("submit", each);
  outbox.take();
  expect(outbox.abandonAll()).toHaveLength(many);
  expect(outbox.pending).toBe(0);
});

describe("a record", () => {
  test("takes what waits, in order, up to its number of items", () => {
    add("submit", ...["a", "b", "c", "d"].map((name) => item(name)));
    expect(told(outbox.take())).toBe("1 submit: a b c");
    expect(told(outbox.take())).toBe("2 submit: d");
    expect(outbox.take()).toBeNull();
  });

  test("ends before the item that would make it too large", () => {
    add("submit", item("a", 4), item("b", 6), item("c", 1));
    expect(told(outbox.take())).toBe("1 submit: a b");
    expect(told(outbox.take())).toBe("2 submit: c");
  });

  test("holds an item that is too large alone", () => {
    add("submit", item("a", 1), item("b", 500), item("c", 1));
    expect(told(outbox.take())).toBe("1 submit: a");
    expect(told(outbox.take())).toBe("2 submit: b");
    outbox.settle(1);
    expect(told(outbox.take())).toBe("3 submit: c");
  });

  test("ends where another kind begins: a cancel does not overtake the submit before it", () => {
    add("submit", item("a"));
    add("cancel", item("b"));
    add("submit", item("c"));
    expect(told(outbox.take())).toBe("1 submit: a");
    expect(told(outbox.take())).toBe("2 cancel: b");
  });
});

test("a record that left takes nothing more", () => {
  add("submit", item("a"));
  expect(told(outbox.take())).toBe("1 submit: a");
  add("submit", item("b"));
  expect(told(outbox.take())).toBe("2 submit: b");
});

describe("the window", () => {
  test("lets no more records out than it is wide, and another for each that is settled", () => {
    add("submit", ...Array.from({ length: 12 }, (_, i) => item(i)));
    outbox.take();
    outbox.take();
    expect([outbox.take(), outbox.inFlight, outbox.waitingCount, outbox.pending]).toEqual([null, 2, 6, 12]);
    outbox.settle(2);
    expect(outbox.pending).toBe(9);
    expect(told(outbox.take())).toBe("3 submit: 6 7 8");
    expect(outbox.take()).toBeNull();
  });

  test("is not opened by an acknowledgement that comes twice, or of a record that never was", () => {
    add("submit", ...Array.from({ length: 12 }, (_, i) => item(i)));
    outbox.take();
    outbox.take();
    expect(told(outbox.settle(1))).toBe("1 submit: 0 1 2");
    expect([outbox.settle(1), outbox.settle(3), outbox.settle(Number.NaN)]).toEqual([null, null, null]);
    expect(outbox.take()).not.toBeNull();
    expect(outbox.take()).toBeNull();
  });
});

describe("the window of full records", () => {
  beforeEach(() => {
    outbox = new Outbox({ ...LIMITS, fullWindowMax: 4 });
  });

  test("lets those out that gain nothing by waiting, and no others", () => {
    add("submit", ...Array.from({ length: 10 }, (_, i) => item(i)));
    for (let number = 1; number <= 3; number++) expect(outbox.take()?.items).toHaveLength(3);
    expect([outbox.fillsRecord, outbox.take()]).toEqual([false, null]);
    add("submit", item(10), item(11));
    expect([outbox.fillsRecord, told(outbox.take())]).toEqual([true, "4 submit: 9 10 11"]);
  });

  test("is as wide as it says", () => {
    add("submit", ...Array.from({ length: 30 }, (_, i) => item(i, 5)));
    for (let number = 1; number <= 4; number++) expect(outbox.take()).not.toBeNull();
    expect([outbox.fillsRecord, outbox.take()]).toEqual([true, null]);
  });

  test("counts bytes as well", () => {
    add("submit", ...Array.from({ length: 3 }, (_, i) => item(i, 10)));
    for (let number = 1; number <= 3; number++) expect(outbox.take()?.items).toHaveLength(1);
    add("submit", item("a", 9));
    expect(outbox.take()).toBeNull();
    add("submit", item("b", 1));
    expect(told(outbox.take())).toBe("4 submit: a b");
  });
});

test("a record that is not acknowledged holds up those that would be too far ahead of it, until it is", () => {
  add("submit", ...Array.from({ length: 30 }, (_, i) => item(i)));
  expect(outbox.take()?.number).toBe(1);
  for (let number = 2; number <= 5; number++) {
    expect(outbox.take()?.number).toBe(number);
    outbox.settle(number);
  }
  expect([outbox.take(), outbox.inFlight]).toEqual([null, 1]);
  outbox.settle(1);
  expect(outbox.take()?.number).toBe(6);
});

test("what is given up is everything that is not acknowledged, once, in order", () => {
  add("submit", ...Array.from({ length: 10 }, (_, i) => item(i)));
  outbox.take();
  outbox.take();
  outbox.settle(1);
  expect(outbox.abandonAll().map(({ name }) => name)).toEqual(["3", "4", "5", "6", "7", "8", "9"]);
  expect([outbox.abandonAll(), outbox.take(), outbox.settle(2), outbox.pending]).toEqual([[], null, null, 0]);
});

const step = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({
      kind: fc.constantFrom("submit" as const, "cancel" as const),
      bytes: fc.nat({ max: 14 }),
    }),
  },
  { weight: 3, arbitrary: fc.constant("take" as const) },
  { weight: 2, arbitrary: fc.record({ settle: fc.nat({ max: 30 }) }) },
);

const WIDE = { ...LIMITS, fullWindowMax: 4 };

test("whatever the order of steps: every item leaves once, in order, within the bounds (O2, O3)", () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 120 }), (steps) => {
      const own = new Outbox<Kind, Item & { readonly kind: Kind }>(WIDE);
      const taken: string[] = [];
      const places: number[] = [];
      const flying = new Map<number, number>();
      let added = 0;
      let settled = 0;
      for (const each of steps) {
        if (each === "take") {
          const { fillsRecord, inFlight } = own;
          const record = own.take();
          if (record === null) continue;
          expect(fillsRecord || inFlight < WIDE.windowMax).toBe(true);
          flying.set(record.number, record.items.length);
          taken.push(...record.items.map(({ name }) => name));
          for (const { name } of record.items) expect(places[Number(name)]).toBe(record.number);
          const bytes = record.items.reduce((sum, one) => sum + one.bytes, 0);
          expect(record.items.length).toBeGreaterThan(0);
          expect(record.items.length).toBeLessThanOrEqual(LIMITS.recordItemsMax);
          if (record.items.length > 1) expect(bytes).toBeLessThanOrEqual(LIMITS.recordBytesMax);
          expect(record.items.every(({ kind }) => kind === record.kind)).toBe(true);
        } else if ("settle" in each) {
          const expected = flying.get(each.settle);
          expect(own.settle(each.settle)?.items.length).toBe(expected);
          settled += expected ?? 0;
          flying.delete(each.settle);
        } else places.push(own.add(each.kind, { ...item(added++, each.bytes), kind: each.kind }).number);
        expect(own.inFlight).toBe(flying.size);
        expect(own.inFlight).toBeLessThanOrEqual(WIDE.fullWindowMax);
        const numbers = [...flying.keys()];
        if (numbers.length > 0)
          expect(Math.max(...numbers) - Math.min(...numbers)).toBeLessThan(LIMITS.spanMax);
        expect(own.pending).toBe(added - settled);
      }
      expect(taken).toEqual(Array.from({ length: taken.length }, (_, i) => String(i)));
    }),
    { numRuns: 500 },
  );
});
