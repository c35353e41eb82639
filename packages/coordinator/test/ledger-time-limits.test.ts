/** Deadlines and time-outs that the fold itself keeps, and those that a leader reports. */
import type { SubmissionOptions } from "@weft/protocol";
import fc from "fast-check";
import { beforeEach, describe, expect, test } from "vitest";
import { DEFAULT_TERMS, type LiveTask } from "../src/core/ledger/index.ts";
import { Timers } from "../src/core/ledger/timers.ts";
import { idOf, submission, TestLog, typesOf } from "./test-log.ts";

let log: TestLog;
beforeEach(() => {
  log = new TestLog();
  log.elect();
});

const submit = (id: number, on: readonly number[], options: Partial<SubmissionOptions>): void =>
  void log.submit([submission(id, on, options)]);
const verdictOf = (id: number) => log.ledger.settled.get(idOf(id))?.verdict;

describe("the dependency time-out", () => {
  test("is ten minutes unless it is said otherwise, and runs until the task is released", () => {
    log.submit([submission(1), submission(2, [1]), submission(3, [2])]);
    log.tick();
    log.tick(599_999);
    expect(log.outcomeOf(2)).toBe("waiting");
    log.tick(1);
    expect(verdictOf(2)).toEqual({ type: "timed_out", limit: "dependency", ms: 600_000 });
    expect(log.ledger.settled.get(idOf(2))?.outcome).toBe("timed_out");
    expect(verdictOf(3)).toMatchObject({ type: "dependency_failed", root: idOf(2) });
    expect(log.outcomeOf(1)).toBe("released");
  });

  test("can be switched off", () => {
    log.submit([submission(1)]);
    submit(2, [1], { dependencyTimeoutMs: 0 });
    log.tick(3_600_000);
    expect(log.outcomeOf(2)).toBe("waiting");
  });

  test("is over once the task is released, however long it then takes", () => {
    log.submit([submission(1)]);
    submit(2, [1], { dependencyTimeoutMs: 20_000 });
    log.tick(15_000);
    log.succeed(1);
    log.tick(60_000);
    expect(log.outcomeOf(2)).toBe("released");
  });

  test("does not run while no leader moves the clock", () => {
    log.submit([submission(1)]);
    submit(2, [1], { dependencyTimeoutMs: 20_000 });
    log.nowMs += 3_600_000;
    log.elect();
    log.tick(19_000);
    expect(log.outcomeOf(2)).toBe("waiting");
    log.tick(1_000);
    expect(log.outcomeOf(2)).toBe("timed_out");
  });
});

describe("a deadline", () => {
  test("ends a task whatever it is doing, and what still runs of it is void", () => {
    const deadlineMs = log.nowMs + 30_000;
    log.submit([submission(9)]);
    submit(1, [], { deadlineMs });
    submit(2, [9], { deadlineMs });
    submit(3, [], {
      deadlineMs,
      retry: {
        strategy: "fixed",
        maximumAttempts: 9,
        initialIntervalMs: 60_000,
        backoffCoefficient: 1,
        maximumIntervalMs: 60_000,
        jitterPermille: 0,
        nonRetryable: [],
      },
    });
    log.fail(3);
    log.tick(29_999);
    expect([1, 2, 3].map((id) => log.outcomeOf(id))).toEqual(["released", "waiting", "backing_off"]);
    log.tick(1);
    for (const id of [1, 2, 3])
      expect(verdictOf(id)).toEqual({ type: "timed_out", limit: "deadline", ms: deadlineMs });
    expect(typesOf(log.succeed(1))).toEqual(["void: finish of a settled task"]);
  });

  test("that has passed already ends it with the next control record", () => {
    submit(1, [], { deadlineMs: log.nowMs - 1 });
    expect(log.outcomeOf(1)).toBe("released");
    log.tick();
    expect(log.outcomeOf(1)).toBe("timed_out");
  });

  test("leaves a task to the cancel that stops it already", () => {
    submit(1, [], { deadlineMs: log.nowMs + 1_000 });
    log.cancel([1], "enough");
    log.tick(2_000);
    expect(log.outcomeOf(1)).toBe("cancelling");
    log.finish([{ id: idOf(1), outcome: "cancelled" }]);
    expect(log.outcomeOf(1)).toBe("cancelled");
  });
});

describe("the queue time-out", () => {
  test("is told when it is over, and ends the task only where the leader says that nobody has begun it", () => {
    submit(1, [], { queueTimeoutMs: 20_000 });
    log.tick();
    const before = log.effects.length;
    log.tick(20_000);
    expect(typesOf(log.effects.slice(before))).toEqual(["queue_overdue"]);
    expect(log.outcomeOf(1)).toBe("released");
    log.expire(1, { limit: "queue" });
    expect(verdictOf(1)).toEqual({ type: "timed_out", limit: "queue", ms: 20_000 });
    expect(log.ledger.settled.get(idOf(1))?.tries).toBe(0);
  });

  test("begins anew with each attempt", () => {
    submit(1, [], { queueTimeoutMs: 20_000 });
    log.tick(15_000);
    log.lose(1);
    const before = log.effects.length;
    log.tick(19_000);
    expect(log.effects.slice(before)).toEqual([]);
    log.tick(1_000);
    expect(typesOf(log.effects.slice(before))).toEqual(["queue_overdue"]);
  });
});

describe("an attempt that a leader reports as expired", () => {
  test("times the task out, counts as a try, and is void where it is not current", () => {
    submit(1, [], { timeoutMs: 5_000 });
    expect(typesOf(log.expire(1, { attempt: 2 }))).toEqual([
      "void: expiry of an attempt that is not current",
    ]);
    log.expire(1);
    expect(log.ledger.settled.get(idOf(1))).toMatchObject({
      outcome: "timed_out",
      tries: 1,
      verdict: { type: "timed_out", limit: "run", ms: 5_000 },
    });
    expect(typesOf(log.expire(1))).toEqual(["void: expiry of an attempt that is not current"]);
  });

  test("of a task that somebody wants stopped ends that", () => {
    submit(1, [], { timeoutMs: 5_000 });
    log.cancel([1], "enough");
    log.expire(1);
    expect(verdictOf(1)).toMatchObject({ type: "cancelled", reason: "enough", stopped: "while_running" });
  });
});

describe("the timers", () => {
  const task = (order: number, more: Partial<LiveTask> = {}): LiveTask =>
    ({ id: idOf(order), order, waitDueMs: null, terms: DEFAULT_TERMS, ...more }) as LiveTask;

  test("give what is due in the order of moment and age, whatever else was given up meanwhile", () => {
    const step = fc.oneof(
      {
        weight: 4,
        arbitrary: fc.record({
          type: fc.constant("wait" as const),
          at: fc.nat({ max: 30 }),
          ms: fc.nat({ max: 100 }),
        }),
      },
      {
        weight: 2,
        arbitrary: fc.record({
          type: fc.constant("settle" as const),
          at: fc.nat({ max: 30 }),
          ms: fc.constant(0),
        }),
      },
      {
        weight: 3,
        arbitrary: fc.record({
          type: fc.constant("pass" as const),
          at: fc.constant(0),
          ms: fc.nat({ max: 60 }),
        }),
      },
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 150 }), (steps) => {
        const live = new Map<number, LiveTask>();
        const timers = new Timers((each) => live.get(each.order) === each);
        const due = new Map<number, number | null>();
        let nowMs = 1;
        let order = 0;
        for (const { type, at, ms } of steps) {
          if (type === "wait") {
            const known = [...live.values()][at];
            const waiting = known ?? task(order++);
            live.set(waiting.order, waiting);
            timers.wait(waiting, ms);
            due.set(waiting.order, null);
            (waiting as { asked?: number }).asked = ms;
          } else if (type === "settle") {
            const known = [...live.keys()][at];
            if (known !== undefined) {
              live.delete(known);
              due.delete(known);
            }
          } else {
            nowMs += ms;
            const expected = [...due]
              .filter(([, dueMs]) => dueMs !== null && dueMs <= nowMs)
              .sort(([a, aMs], [b, bMs]) => (aMs ?? 0) - (bMs ?? 0) || a - b)
              .map(([each]) => each);
            const taken: number[] = [];
            for (let next = timers.takeDue(nowMs); next !== null; next = timers.takeDue(nowMs)) {
              taken.push(next.task.order);
              // As the fold does: what came due waits for nothing more.
              next.task.waitDueMs = null;
            }
            expect(taken).toEqual(expected);
            for (const each of expected) due.delete(each);
            timers.begin(nowMs);
            for (const [each, dueMs] of due)
              if (dueMs === null) due.set(each, nowMs + ((live.get(each) as { asked?: number }).asked ?? 0));
          }
        }
      }),
      { numRuns: 500 },
    );
  });

  test("hold on to little more than what still waits, however much was given up", () => {
    const live = new Set<LiveTask>();
    const timers = new Timers((each) => live.has(each));
    for (let order = 0; order < 100_000; order++) {
      const each = task(order);
      live.add(each);
      timers.wait(each, 600_000);
      timers.begin(order + 1);
      if (order >= 100) live.delete([...live][0] as LiveTask);
    }
    expect(timers.size).toBeLessThan(5_000);
  });

  test("ask for a record at once where a short wait begins, and not for a long one", () => {
    submit(1, [], { queueTimeoutMs: 60_000 });
    expect(log.ledger.nextDueMs()).toBeNull();
    submit(2, [], { queueTimeoutMs: 100 });
    expect(log.ledger.nextDueMs()).toBe(0);
    log.tick();
    expect(log.ledger.nextDueMs()).toBe(log.nowMs + 100);
  });
});
