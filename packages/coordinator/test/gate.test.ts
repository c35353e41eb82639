import { expect, test } from "vitest";
import { Gate } from "../src/shell/gate.ts";

type Item = { readonly n: number };

function gateOf(onPass: (n: number, gate: Gate<Item>) => void = () => undefined) {
  const turns: (() => void)[] = [];
  const passed: number[] = [];
  const gate: Gate<Item> = new Gate({ endOfTurn: (act) => void turns.push(act) }, ({ n }) => {
    passed.push(n);
    onPass(n, gate);
  });
  const offer = (from: number, to: number): void => {
    for (let n = from; n <= to; n++) gate.offer({ n });
  };
  const turn = (): void => turns.shift()?.();
  return { gate, passed, turns, offer, turn };
}

const numbers = (to: number): number[] => Array.from({ length: to }, (_, i) => i + 1);

test("what comes goes through at once", () => {
  const { passed, offer } = gateOf();
  offer(1, 3);
  expect(passed).toEqual([1, 2, 3]);
});

test("while it is shut all waits, and goes through in its order, with what came meanwhile behind it", () => {
  const { gate, passed, turns, offer, turn } = gateOf();
  const open = gate.shut();
  offer(1, 100);
  expect(passed).toEqual([]);
  open();
  expect(passed.length).toBeGreaterThan(0);
  expect(passed.length).toBeLessThan(100);
  offer(101, 101);
  while (turns.length > 0) turn();
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

test("it can be shut again while what waited goes through: by what goes through, or between two turns", () => {
  let again: (() => void) | null = null;
  const { gate, passed, turns, offer, turn } = gateOf((n, it) => {
    if (n === 3) again = it.shut();
  });
  const open = gate.shut();
  offer(1, 50);
  open();
  expect(passed).toEqual([1, 2, 3]);
  again!();
  const before = passed.length;
  const third = gate.shut();
  turn();
  offer(51, 51);
  expect(passed).toHaveLength(before);
  third();
  while (turns.length > 0) turn();
  expect(passed).toEqual(numbers(51));
});

test("what is forgotten never goes through", () => {
  const { gate, passed, offer } = gateOf();
  const open = gate.shut();
  offer(1, 2);
  gate.clear();
  offer(3, 3);
  open();
  expect(passed).toEqual([3]);
});
