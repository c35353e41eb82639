/** Cancels with everything that they take with them: children at every level, and what waits, where that was asked for. */
import { Identity, InstanceId, Sender, type SubmissionOptions } from "@weft/protocol";
import { beforeEach, describe, expect, test } from "vitest";
import { idOf, submission, TestLog, typesOf } from "./test-log.ts";

let log: TestLog;
beforeEach(() => {
  log = new TestLog();
  log.elect();
});

const outcomes = (...ids: readonly number[]): string[] => ids.map((id) => log.outcomeOf(id));
const under = (parent: number, attempt = 1): Partial<SubmissionOptions> => ({
  parent: { id: idOf(parent), attempt },
});
const verdictOf = (id: number) => log.ledger.settled.get(idOf(id))?.verdict;

describe("a cancel of a parent", () => {
  test("cancels its children at every level, and says how many", () => {
    log.submit([submission(1)]);
    log.submit([submission(2, [], under(1)), submission(3, [2], under(1))]);
    log.submit([submission(4, [], under(2))]);
    log.cancel([1], "enough");
    expect(outcomes(1, 2, 3, 4)).toEqual(["cancelling", "cancelling", "cancelled", "cancelling"]);
    log.finish([{ id: idOf(1), outcome: "cancelled" }]);
    expect(verdictOf(1)).toMatchObject({ reason: "enough", children: 3, dependents: 0 });
    // Its children may take longer than it does.
    expect(outcomes(2, 4)).toEqual(["cancelling", "cancelling"]);
    log.finish([2, 4].map((id) => ({ id: idOf(id), outcome: "terminated" as const })));
    expect(verdictOf(4)).toMatchObject({ reason: "enough", stopped: "terminated" });
    expect(log.ledger.live.size).toBe(0);
  });

  test("cancels what it submits after that, too", () => {
    log.submit([submission(1)]);
    log.cancel([1], "enough");
    log.submit([submission(2, [], under(1))]);
    expect(verdictOf(2)).toMatchObject({ type: "cancelled", reason: "enough", stopped: "before_release" });
  });

  test("that has succeeded already reaches the children that still run", () => {
    log.submit([submission(1)]);
    log.submit([submission(2, [], under(1))]);
    log.succeed(1);
    expect(log.outcomeOf(2)).toBe("released");
    expect(typesOf(log.cancel([1]))).toEqual(["cancelling"]);
    expect(log.outcomeOf(2)).toBe("cancelling");
    log.finish([{ id: idOf(2), outcome: "cancelled" }]);
    expect(typesOf(log.cancel([1]))).toEqual(["void: cancel of a settled task"]);
  });

  test("reaches a chain of children that is longer than any stack (L5)", () => {
    const length = 50_000;
    log.submit([submission(0)]);
    for (let at = 1; at < length; at += 10_000) {
      const size = Math.min(10_000, length - at);
      log.ledger.apply(entryOf(at, size));
    }
    log.cancel([0]);
    expect([...log.ledger.live].every(({ state }) => state === "cancelling")).toBe(true);
  });

  /** A record of children, each of the one before; the checks of the test's log would take too long between them. */
  function entryOf(from: number, size: number): Parameters<typeof log.ledger.apply>[0] {
    const tasks = Array.from({ length: size }, (_, at) => submission(from + at, [], under(from + at - 1)));
    const instance = InstanceId.parse("c9");
    const sender = Sender.of(Identity.parse("client"), instance);
    return {
      seq: log.ledger.seq + 1,
      stampMs: log.nowMs,
      subject: { kind: "submit", sender },
      record: { type: "submit", instance, number: from, tasks },
    };
  }
});

describe("the children of an attempt", () => {
  test("go on while their parent is tried again, and are its own again when it asks for them", () => {
    log.submit([submission(1)]);
    log.submit([submission(2, [], under(1)), submission(3, [], under(1))]);
    log.lose(1);
    expect(outcomes(2, 3)).toEqual(["released", "released"]);
    expect(typesOf(log.submit([submission(2, [], under(1, 2))]))).toEqual(["submitted_again"]);
    expect(log.ledger.live.get(idOf(2))?.parent).toEqual({ id: idOf(1), attempt: 2 });
    log.succeed(1);
    // The second attempt did not ask for the other one.
    expect(outcomes(2, 3)).toEqual(["released", "cancelling"]);
  });

  test("are not taken over by an attempt that is not current, nor by another parent", () => {
    log.submit([submission(1), submission(9)]);
    log.submit([submission(2, [], under(1))]);
    log.lose(1);
    log.submit([submission(2, [], under(1, 1))]);
    log.submit([submission(2, [], under(1, 3))]);
    log.submit([submission(2, [], under(9, 1))]);
    expect(log.ledger.live.get(idOf(2))?.parent).toEqual({ id: idOf(1), attempt: 1 });
  });

  test.each([
    ["fails", () => log.fail(1)],
    ["runs out of time", () => log.expire(1)],
    ["passes its deadline", () => log.tick(40_000)],
  ] as const)("are stopped where their parent %s", (_, ends) => {
    log.submit([submission(1, [], { timeoutMs: 1_000, deadlineMs: log.nowMs + 30_000 })]);
    log.submit([submission(2, [], under(1)), submission(3, [2], under(1))]);
    log.submit([submission(4, [], under(2))]);
    ends();
    expect(outcomes(2, 3, 4)).toEqual(["cancelling", "cancelled", "cancelling"]);
    expect(log.ledger.live.get(idOf(2))?.cancel?.reason).toContain(idOf(1));
  });

  test("of a parent that succeeded go on", () => {
    log.submit([submission(1)]);
    log.submit([submission(2, [], under(1))]);
    log.succeed(1);
    log.succeed(2);
    expect(outcomes(1, 2)).toEqual(["succeeded", "succeeded"]);
    expect(log.ledger.children.size).toBe(0);
  });

  test("are not taken from a parent that backs off: nothing of it runs", () => {
    log.submit([
      submission(1, [], {
        retry: {
          strategy: "fixed",
          maximumAttempts: 2,
          initialIntervalMs: 60_000,
          backoffCoefficient: 1,
          maximumIntervalMs: 60_000,
          jitterPermille: 0,
          nonRetryable: [],
        },
      }),
    ]);
    log.fail(1);
    log.submit([submission(2, [], under(1, 2))]);
    expect(verdictOf(2)).toMatchObject({ type: "parent_gone" });
  });
});

describe("a cancel with what waits", () => {
  test("cancels all of it, at every distance, instead of failing it", () => {
    log.submit([submission(1), submission(2, [1]), submission(3, [2]), submission(4, [1, 3]), submission(5)]);
    log.cancel([1], "enough", true);
    expect(outcomes(1, 2, 3, 4, 5)).toEqual([
      "cancelling",
      "cancelled",
      "cancelled",
      "cancelled",
      "released",
    ]);
    expect(verdictOf(3)).toMatchObject({ type: "cancelled", reason: "enough", stopped: "before_release" });
    log.finish([{ id: idOf(1), outcome: "cancelled" }]);
    expect(verdictOf(1)).toMatchObject({ children: 0, dependents: 3 });
  });

  test("of a task that waits itself", () => {
    log.submit([submission(1), submission(2, [1]), submission(3, [2])]);
    log.cancel([2], "enough", true);
    expect(outcomes(1, 2, 3)).toEqual(["released", "cancelled", "cancelled"]);
    expect(verdictOf(2)).toMatchObject({ dependents: 1 });
  });

  test("takes what waits for its children with it", () => {
    log.submit([submission(1)]);
    log.submit([submission(2, [], under(1)), submission(3, [2])]);
    log.cancel([1], null, true);
    expect(outcomes(1, 2, 3)).toEqual(["cancelling", "cancelling", "cancelled"]);
  });

  test("without it they fail, with the cancel as the root", () => {
    log.submit([submission(1), submission(2, [1])]);
    log.cancel([1], "enough");
    expect(log.outcomeOf(2)).toBe("waiting");
    log.finish([{ id: idOf(1), outcome: "cancelled" }]);
    expect(verdictOf(2)).toMatchObject({ type: "dependency_failed", root: idOf(1) });
  });
});
