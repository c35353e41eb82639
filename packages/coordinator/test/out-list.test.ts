/** What is out at a worker, against a set that does the same. */
import type { Sender } from "@weft/protocol";
import fc from "fast-check";
import { expect, test } from "vitest";
import { type Out, OutList } from "../src/core/scheduler/out-list.ts";
import { entryOf } from "../src/core/scheduler/worker-entry.ts";
import { presenceOf } from "./presence.ts";
import { submission, TestLog } from "./test-log.ts";

const worker = entryOf("w.1" as Sender, presenceOf({}), 0);

const log = new TestLog();
log.submit([submission(1)]);
const task = log.live(1);

const out = (attempt: number): Out => ({
  task,
  worker,
  attempt,
  message: 0,
  begunAtMs: null,
  isExpired: false,
  before: null,
  after: null,
});

const attemptsIn = (list: Iterable<Out>): number[] => Array.from(list, ({ attempt }) => attempt);

test("keeps the order in which they went there, whichever leaves", () => {
  const steps = fc.array(fc.oneof(fc.constant("add" as const), fc.nat({ max: 20 })), { maxLength: 60 });
  fc.assert(
    fc.property(steps, (all) => {
      const list = new OutList();
      const expected = new Set<Out>();
      for (const [number, step] of all.entries()) {
        const each = step === "add" ? out(number) : [...expected][step];
        if (each === undefined) continue;
        if (step === "add") {
          list.add(each);
          expected.add(each);
        } else {
          list.delete(each);
          expected.delete(each);
        }
        expect(attemptsIn(list)).toEqual(attemptsIn(expected));
        expect(list.size).toBe(expected.size);
      }
    }),
  );
});

test("goes on behind the one at hand, when that leaves", () => {
  const list = new OutList();
  for (let attempt = 1; attempt <= 4; attempt++) list.add(out(attempt));
  const seen: number[] = [];
  for (const each of list) {
    seen.push(each.attempt);
    list.delete(each);
  }
  expect(seen).toEqual([1, 2, 3, 4]);
  expect(list.size).toBe(0);
});
