/** Settled tasks leave: after the retention, or early where a budget is exceeded, and never while they are needed. */
import { type Sender, TaskId } from "@weft/protocol";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { oldestNeededSeq, tell } from "../src/core/ledger/index.ts";
import { DEFAULT_SETTINGS, hasExpired, mayHaveExpired } from "../src/core/ledger/retention.ts";
import { stepsWithRetention } from "./ledger-steps.ts";
import { idOf, START_MS, submission, TestLog, typesOf } from "./test-log.ts";

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const OTHER = "client.c2" as Sender;

/** Without the thousands of ticks that each move the clock by two seconds. One of them comes: nobody was away. */
function jump(log: TestLog, ms: number): void {
  log.tick(1);
  log.nowMs += ms - 1;
  log.control({ type: "tick", mark: null });
}

function begun(): TestLog {
  const log = new TestLog();
  log.elect();
  return log;
}

/** Tasks of their own, one after another. */
function settle(log: TestLog, first: number, count: number): void {
  const numbers = Array.from({ length: count }, (_, i) => first + i);
  log.submit(numbers.map((each) => submission(each)));
  log.succeed(...numbers);
}

const known = (log: TestLog, numbers: readonly number[]): number[] =>
  numbers.filter((each) => log.ledger.settled.has(idOf(each)));

describe("a settled task", () => {
  test("leaves after the retention, 24 hours where nobody says otherwise, and not before", () => {
    const log = begun();
    settle(log, 1, 1);
    jump(log, 24 * HOUR_MS - 1);
    expect(known(log, [1])).toEqual([1]);
    log.tick(1);
    expect(log.ledger.settled.size).toBe(0);
  });

  test("leaves early where there are more than the budget, the oldest first, but never within ten minutes", () => {
    const log = begun();
    log.settings({ settledTasksMax: 3 });
    settle(log, 1, 2);
    log.tick(1_000);
    settle(log, 3, 3);
    jump(log, 9 * MINUTE_MS);
    expect(known(log, [1, 2, 3, 4, 5])).toEqual([1, 2, 3, 4, 5]);
    log.tick(MINUTE_MS);
    expect(known(log, [1, 2, 3, 4, 5])).toEqual([3, 4, 5]);
    jump(log, HOUR_MS);
    expect(known(log, [1, 2, 3, 4, 5])).toEqual([3, 4, 5]);
  });

  test("leaves early where the values have more bytes than the budget", () => {
    const log = begun();
    log.settings({ resultBytesMax: 250 });
    log.submit([1, 2, 3, 4].map((each) => submission(each)));
    for (const id of [1, 2, 3, 4].map(idOf))
      log.finish([{ id, outcome: "succeeded", value: new Uint8Array(100) }]);
    jump(log, 10 * MINUTE_MS);
    log.tick();
    expect(known(log, [1, 2, 3, 4])).toEqual([3, 4]);
    expect(log.ledger.settled.valueBytes).toBe(200);
  });

  test("stays while a live task depends on it, and holds up nothing that settled after it", () => {
    const log = begun();
    settle(log, 1, 2);
    log.submit([submission(3, [1, 1])]);
    jump(log, 25 * HOUR_MS);
    expect(known(log, [1, 2])).toEqual([1]);
    expect(log.outcomeOf(1)).toBe("succeeded");
    log.succeed(3);
    expect(known(log, [1, 2, 3])).toEqual([3]);
    expect(log.ledger.settled.kept.size).toBe(0);
  });

  test("leaves in portions: one record has a bounded amount of work", () => {
    const log = begun();
    for (let first = 0; first < 25_000; first += 2_500) settle(log, first, 2_500);
    jump(log, 25 * HOUR_MS);
    expect(log.ledger.settled.size).toBe(5_000);
    log.tick();
    expect(log.ledger.settled.size).toBe(0);
  });

  test("that settled while nobody led is not old when a leader comes", () => {
    const log = begun();
    settle(log, 1, 1);
    log.tick(1);
    // Nobody leads for two days; a client cancels what it has submitted.
    log.nowMs += 48 * HOUR_MS;
    log.submit([submission(2, [9])]);
    log.cancel([2]);
    log.elect();
    expect(known(log, [1, 2])).toEqual([2]);
    jump(log, 23 * HOUR_MS);
    expect(known(log, [2])).toEqual([2]);
    jump(log, HOUR_MS);
    expect(known(log, [2])).toEqual([]);
  });

  test("that settled before any leader was there is not old when the first one comes", () => {
    const log = new TestLog();
    log.submit([submission(1, [1])]);
    expect(log.outcomeOf(1)).toBe("rejected");
    log.elect();
    expect(known(log, [1])).toEqual([1]);
    expect(log.ledger.settled.get(idOf(1))?.settledAtMs).toBe(log.nowMs);
  });
});

describe("an id that has expired", () => {
  const oldId = TaskId.create(0, START_MS);
  const old = (log: TestLog): TestLog => {
    log.submit([{ ...submission(1), id: oldId }]);
    log.finish([{ id: oldId, outcome: "succeeded" }]);
    log.tick();
    return log;
  };

  test("is known by its hour; within two hours it is only possible", () => {
    const log = old(begun());
    log.settings({ retentionMs: 10 * MINUTE_MS });
    expect(mayHaveExpired(log.ledger, oldId)).toBe(false);
    jump(log, 11 * MINUTE_MS);
    expect(log.ledger.settled.has(oldId)).toBe(false);
    expect([mayHaveExpired(log.ledger, oldId), hasExpired(log.ledger, oldId)]).toEqual([true, false]);
    jump(log, 2 * HOUR_MS);
    expect(hasExpired(log.ledger, oldId)).toBe(true);
    const newer = TaskId.create(0, log.nowMs);
    expect([mayHaveExpired(log.ledger, newer), hasExpired(log.ledger, newer)]).toEqual([false, false]);
  });

  test("fails what depends on it at once", () => {
    const log = old(begun());
    jump(log, 25 * HOUR_MS);
    log.submit([{ ...submission(2), dependsOn: [oldId] }]);
    expect(log.ledger.settled.get(idOf(2))).toMatchObject({
      outcome: "failed",
      verdict: { type: "result_expired", task: oldId },
    });
  });

  test("that is only possible fails what depends on it after the minute in which it may be submitted", () => {
    const log = old(begun());
    log.settings({ retentionMs: 10 * MINUTE_MS });
    jump(log, 11 * MINUTE_MS);
    log.submit([{ ...submission(2), dependsOn: [oldId] }]);
    log.tick();
    expect(log.outcomeOf(2)).toBe("waiting");
    log.tick(MINUTE_MS);
    expect(log.ledger.settled.get(idOf(2))?.verdict).toEqual({ type: "result_expired", task: oldId });
  });

  test("is not run again, however late its submit is repeated", () => {
    const log = old(begun());
    jump(log, 25 * HOUR_MS);
    // The same record, long after its sender was forgotten, and the same task from somebody else.
    const first = log.entries.find(({ record }) => record?.type === "submit")!;
    expect(typesOf(log.append(first.subject, first.record))).toEqual([
      "void: submit of a task that has expired",
    ]);
    expect(typesOf(log.submit([{ ...submission(1), id: oldId }], OTHER))).toEqual([
      "void: submit of a task that has expired",
    ]);
  });

  test("is not run again within two hours either: its sender is still known", () => {
    const log = old(begun());
    log.settings({ retentionMs: 10 * MINUTE_MS });
    const first = log.entries.find(({ record }) => record?.type === "submit")!;
    for (let minutes = 0; minutes < 119; minutes += 7) {
      jump(log, 7 * MINUTE_MS);
      const [effect] = typesOf(log.append(first.subject, first.record));
      expect(effect).toMatch(/^void: /);
    }
  });
});

test("a chain of failures whose root has left is told as far as it is known", () => {
  const log = begun();
  log.settings({ retentionMs: 2 * HOUR_MS });
  log.submit([submission(1)]);
  log.fail(1);
  log.tick();
  jump(log, HOUR_MS);
  log.submit([submission(2, [1])]);
  log.submit([submission(3, [2])]);
  jump(log, HOUR_MS);
  expect(known(log, [1, 2, 3])).toEqual([2, 3]);
  const told = tell(log.ledger, log.ledger.settled.get(idOf(3))!);
  expect(told.source).toBe(null);
  expect(told.reason).toMatchObject({
    type: "dependency_failed",
    chain: [{ id: idOf(2) }],
    root: { type: "result_expired", task: idOf(1) },
  });
});

test("where half of the log is needed new tasks are refused, until something has left (I10)", () => {
  const log = begun();
  log.settings({ logBytesMax: 4_000 });
  const args = new Uint8Array(700);
  log.submit([1, 2, 3, 4].map((each) => ({ ...submission(each), args })));
  expect([1, 2, 3, 4].map((each) => log.outcomeOf(each))).toEqual([
    "released",
    "released",
    "released",
    "rejected",
  ]);
  expect(log.ledger.settled.get(idOf(4))?.verdict).toEqual({ type: "log_full" });
  // What they leave behind is small: the arguments are needed no more.
  log.succeed(1, 2);
  log.submit([submission(5)]);
  expect(log.outcomeOf(5)).toBe("released");
  log.finish([{ id: idOf(3), outcome: "succeeded", value: new Uint8Array(1_900) }]);
  log.submit([submission(6)]);
  expect(log.outcomeOf(6)).toBe("rejected");
  jump(log, 25 * HOUR_MS);
  log.submit([submission(7)]);
  expect(log.outcomeOf(7)).toBe("released");
});

test("settings hold for every fold, and only those of the leader in force", () => {
  const log = begun();
  expect(log.ledger.settings).toEqual(DEFAULT_SETTINGS);
  log.control({ type: "settings", settings: { ...DEFAULT_SETTINGS, retentionMs: 1 } }, log.ledger.epoch + 1);
  expect(log.ledger.settings).toEqual(DEFAULT_SETTINGS);
  log.settings({ retentionMs: 5_000 });
  expect(log.ledger.settings).toEqual({ ...DEFAULT_SETTINGS, retentionMs: 5_000 });
});

test("R2: whatever comes, what live tasks need stays, and what leaves is the oldest (checked after each record)", () => {
  fc.assert(
    fc.property(stepsWithRetention, (all) => {
      const log = begun();
      for (const act of all) {
        act(log);
        const { settings, settled, clock } = log.ledger;
        const oldest = settled.oldestSettledAtMs();
        // What came behind the last control record is judged by the next.
        if (log.entries.at(-1)?.subject.kind !== "control" || oldest === null) continue;
        expect(clock.nowMs - oldest).toBeLessThan(settings.retentionMs);
      }
    }),
    { numRuns: 300 },
  );
});

describe("a result that is not to be kept", () => {
  test("goes once its client has it; the task stays as long as any other", () => {
    const log = begun();
    settle(log, 1, 2);
    expect(typesOf(log.receive(1))).toEqual(["freed"]);
    expect(log.ledger.settled.valueBytes).toBe(1);
    expect(log.ledger.settled.get(idOf(1))).toMatchObject({ outcome: "succeeded", finish: null });
    expect(typesOf(log.submit([submission(1)]))).toEqual(["submitted_again"]);
    expect(typesOf(log.receive(1))).toEqual(["void: receipt of a result that is not there"]);
  });

  test("holds the log no longer, also where it was carried", () => {
    const log = begun();
    settle(log, 1, 1);
    log.carry(log.ledger.seq);
    expect(oldestNeededSeq(log.ledger)).toBe(log.ledger.seq);
    log.receive(1);
    expect(oldestNeededSeq(log.ledger)).toBe(log.ledger.seq + 1);
    expect(log.ledger.carried.size).toBe(0);
  });

  test("stays while a live task depends on it, and goes with the last of them", () => {
    const log = begun();
    settle(log, 1, 1);
    log.submit([submission(2, [1]), submission(3, [1, 1])]);
    expect(typesOf(log.receive(1))).toEqual([]);
    log.succeed(2);
    expect(log.ledger.settled.valueBytesOf(idOf(1))).toBe(1);
    expect(typesOf(log.succeed(3))).toContain("freed");
    expect(log.ledger.settled.valueBytesOf(idOf(1))).toBe(0);
    expect(log.ledger.received.size).toBe(0);
  });

  test("fails what is to depend on it later", () => {
    const log = begun();
    settle(log, 1, 1);
    log.receive(1);
    log.submit([submission(2, [1])]);
    expect(log.outcomeOf(2)).toBe("failed");
    const settled = log.ledger.settled.get(idOf(2))!;
    expect(tell(log.ledger, settled).reason).toEqual({ type: "result_expired", task: idOf(1) });
  });

  test("is there at all only of a success: what failed keeps its failure", () => {
    const log = begun();
    log.submit([submission(1), submission(2)]);
    log.fail(1);
    const nothing = "void: receipt of a result that is not there";
    expect(typesOf(log.receive(1, 2, 9))).toEqual([nothing, nothing, nothing]);
  });
});
