/** The parts of the ledger, each against the simplest thing that does the same. */
import { InstanceId, type TaskId } from "@weft/protocol";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { findCycle } from "../src/core/ledger/cycle.ts";
import { Deadlines } from "../src/core/ledger/deadlines.ts";
import { SENDER_MEMORY_MS } from "../src/core/ledger/retention.ts";
import { Senders } from "../src/core/ledger/senders.ts";
import type { LiveTask } from "../src/core/ledger/task.ts";
import { idOf } from "./test-log.ts";

const instanceOf = (number: number): InstanceId => InstanceId.parse(`c${number}`);

describe("the senders that the fold has seen", () => {
  test("admit a number once, and none that is 64 or more below the highest", () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.nat({ max: 2 }), fc.nat({ max: 200 })), { maxLength: 150 }),
        (records) => {
          const senders = new Senders();
          const admitted = new Map<number, Set<number>>();
          for (const [sender, number] of records) {
            const seen = admitted.get(sender) ?? new Set();
            const isNew = !seen.has(number) && number > Math.max(...seen) - 64;
            expect(senders.admit(instanceOf(sender), number, 1)).toBe(isNew);
            if (isNew) admitted.set(sender, seen.add(number));
          }
        },
      ),
      { numRuns: 500 },
    );
  });

  test("are forgotten two hours after their last record, in whatever order they spoke", () => {
    const step = fc.record({ sender: fc.nat({ max: 4 }), passedMs: fc.nat({ max: SENDER_MEMORY_MS }) });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const senders = new Senders();
        const lastMs = new Map<number, number>();
        let nowMs = 1_700_000_000_000;
        for (const [at, { sender, passedMs }] of steps.entries()) {
          senders.admit(instanceOf(sender), at, nowMs);
          lastMs.set(sender, nowMs);
          nowMs += passedMs;
          senders.forget(nowMs);
          for (const [each, ms] of lastMs) if (nowMs - ms >= SENDER_MEMORY_MS) lastMs.delete(each);
          expect(senders.size).toBe(lastMs.size);
        }
      }),
      { numRuns: 500 },
    );
  });

  test("that spoke before the clock ran have their time from when it does, all of them", () => {
    const senders = new Senders();
    for (let i = 0; i < 10; i++) senders.admit(instanceOf(i), 1, 0);
    const startMs = 1_700_000_000_000;
    senders.forget(startMs);
    senders.forget(startMs + SENDER_MEMORY_MS - 1);
    expect(senders.size).toBe(10);
    senders.forget(startMs + SENDER_MEMORY_MS);
    expect(senders.size).toBe(0);
  });
});

describe("deadlines", () => {
  const key = fc.nat({ max: 6 });
  const step = fc.oneof(
    { weight: 3, arbitrary: fc.record({ type: fc.constant("add" as const), key }) },
    { weight: 2, arbitrary: fc.record({ type: fc.constant("delete" as const), key }) },
    { weight: 3, arbitrary: fc.record({ type: fc.constant("pass" as const), key: fc.nat({ max: 90 }) }) },
  );

  test("come due a wait after the first record that follows them, in the order in which they came", () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 80 }), (steps) => {
        const deadlines = new Deadlines<number>(60);
        const waiting = new Map<number, number | null>();
        let nowMs = 0;
        for (const { type, key: which } of steps) {
          if (type === "add") {
            deadlines.add(which);
            if (!waiting.has(which)) waiting.set(which, null);
          } else if (type === "delete") {
            deadlines.delete(which);
            waiting.delete(which);
          } else {
            nowMs += which;
            const due = [...waiting].filter(([, ms]) => ms !== null && ms <= nowMs).map(([each]) => each);
            expect(deadlines.takeDue(nowMs)).toEqual(due);
            for (const each of due) waiting.delete(each);
            for (const [each, ms] of waiting) if (ms === null) waiting.set(each, nowMs + 60);
          }
          expect(deadlines.size).toBe(waiting.size);
        }
      }),
      { numRuns: 500 },
    );
  });
});

describe("the cycle that a new task closes", () => {
  const edges = fc.array(fc.tuple(fc.nat({ max: 9 }), fc.nat({ max: 9 })), { maxLength: 25 });

  /** Everything that can be reached from the tasks, themselves included. */
  function reach(from: readonly number[], dependenciesOf: (id: number) => readonly number[]): Set<number> {
    const reached = new Set(from);
    for (const id of reached) for (const next of dependenciesOf(id)) reached.add(next);
    return reached;
  }

  test("is found where there is one, as a path along dependencies, and only there", () => {
    fc.assert(
      fc.property(edges, fc.array(fc.nat({ max: 9 }), { maxLength: 4 }), (all, own) => {
        const dependenciesOf = (id: number): number[] =>
          id === 0 ? own : all.filter(([from]) => from === id).map(([, to]) => to);
        const live = new Map<TaskId, LiveTask>();
        for (let id = 1; id <= 9; id++) {
          const task = { id: idOf(id), dependencies: dependenciesOf(id).map(idOf) };
          live.set(task.id, task as unknown as LiveTask);
        }
        const path = findCycle(idOf(0), own.map(idOf), live);
        expect(path !== null).toBe(reach(own, dependenciesOf).has(0));
        if (path === null) return;
        const numbers = path.map((id) => Number(id.slice(6)));
        expect([numbers[0], numbers.at(-1)]).toEqual([0, 0]);
        for (const [at, id] of numbers.slice(1).entries())
          expect(dependenciesOf(numbers[at] ?? -1)).toContain(id);
        expect(new Set(numbers).size).toBe(numbers.length - 1);
      }),
      { numRuns: 1_000 },
    );
  });
});
