import { expect, test } from "vitest";
import { Gate } from "../src/shell/gate.ts";

type Item = { readonly n: number };

function gateOf(onPass: (n: number, gate: Gate<Item>) => void = () => undefined) {
  const passed: number[] = [];
  const gate: Gate<Item> = new Gate(({ n }) => {
    passed.push(n);
    onPass(n, gate);
  });
  const offer = (from: number, to: number): void => {
    for (let n = from; n <= to; n++) gate.offer({ n });
  };
  return { gate, passed, offer };
}

const numbers = (to: number): number[] => Array.from({ length: to }, (_, i) => i + 1);

test("what comes goes through at once", () => {
  const { passed, offer } = gateOf();
  offer(1, 3);
  expect(passed).toEqual([1, 2, 3]);
});

test("while it is shut all waits, and goes through in its order before anything newer", () => {
  const { gate, passed, offer } = gateOf((n, it) => {
    if (n === 2) it.offer({ n: 101 });
  });
  const open = gate.shut();
  offer(1, 100);
  expect(passed).toEqual([]);
  open();
  expect(passed).toEqual(numbers(101));
  offer(102, 102);
  expect(passed).toEqual(numbers(102));
});

test("it opens once all who shut it have opened it, however often one does", () => {
  const { gate, passed, offer } = gateOf();
  const [first, second] = [gate.shut(), gate.shut()];
  offer(1, 1);
  first();
  first();
  expect(passed).toEqual([]);
  second();
  expect(passed).toEqual([1]);
});

test("it can be shut again by what goes through", () => {
  let again: (() => void) | null = null;
  const { gate, passed, offer } = gateOf((n, it) => {
    if (n === 3) again = it.shut();
  });
  const open = gate.shut();
  offer(1, 5);
  open();
  expect(passed).toEqual([1, 2, 3]);
  offer(6, 6);
  again!();
  expect(passed).toEqual(numbers(6));
});

test("what is forgotten never goes through, also where it is forgotten by what does", () => {
  const { gate, passed, offer } = gateOf((n, it) => {
    if (n === 3) it.clear();
  });
  const open = gate.shut();
  offer(1, 2);
  gate.clear();
  offer(3, 5);
  open();
  offer(6, 6);
  expect(passed).toEqual([3, 6]);
});

test("it goes on behind one that failed", () => {
  const { gate, passed, offer } = gateOf((n) => {
    if (n === 2) throw new Error("two");
  });
  const open = gate.shut();
  offer(1, 3);
  expect(open).toThrow("two");
  gate.shut()();
  offer(4, 4);
  expect(passed).toEqual([1, 2, 3, 4]);
});
