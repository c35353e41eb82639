import { Identity, InstanceId, Sender } from "@weft/protocol";
import { beforeEach, describe, expect, test } from "vitest";
import { tell } from "../src/core/ledger/index.ts";
import { idOf, submission, TestLog, typesOf } from "./test-log.ts";

let log: TestLog;
beforeEach(() => {
  log = new TestLog();
  log.elect();
});

const outcomes = (...ids: readonly number[]): string[] => ids.map((id) => log.outcomeOf(id));

describe("dependencies", () => {
  test("a chain is released link by link (I2)", () => {
    log.submit([submission(1), submission(2, [1]), submission(3, [2])]);
    expect(outcomes(1, 2, 3)).toEqual(["released", "waiting", "waiting"]);
    expect(typesOf(log.succeed(1))).toEqual(["settled", "released"]);
    log.succeed(2);
    expect(outcomes(1, 2, 3)).toEqual(["succeeded", "succeeded", "released"]);
  });

  test("a diamond is released when both sides are in", () => {
    log.submit([submission(1), submission(2, [1]), submission(3, [1]), submission(4, [2, 3])]);
    log.succeed(1);
    log.succeed(2);
    expect(log.outcomeOf(4)).toBe("waiting");
    log.succeed(3);
    expect(log.outcomeOf(4)).toBe("released");
  });

  test("the same dependency named twice counts once its task is done", () => {
    log.submit([submission(1), submission(2, [1, 1])]);
    log.succeed(1);
    expect(log.outcomeOf(2)).toBe("released");
  });

  test("on a task that settled long ago, or that is submitted later, makes no difference", () => {
    log.submit([submission(1)]);
    log.succeed(1);
    log.submit([submission(2, [1]), submission(3, [4])]);
    expect(outcomes(2, 3)).toEqual(["released", "waiting"]);
    log.submit([submission(4)]);
    log.succeed(4);
    expect(log.outcomeOf(3)).toBe("released");
  });

  test("a failure fails everything behind it at once, and tells the chain", () => {
    log.submit([submission(1), submission(2, [1]), submission(3, [2]), submission(4, [3]), submission(5)]);
    log.fail(1);
    expect(outcomes(1, 2, 3, 4, 5)).toEqual(["failed", "failed", "failed", "failed", "released"]);
    const last = log.ledger.settled.get(idOf(4));
    expect(last && tell(log.ledger, last)).toMatchObject({
      reason: {
        type: "dependency_failed",
        omitted: 0,
        root: null,
        chain: [{ id: idOf(3) }, { id: idOf(2) }, { id: idOf(1) }],
      },
      source: { id: idOf(1) },
    });
  });

  test("a failure reaches the end of a chain that is longer than any stack (L5)", () => {
    const count = 20_000;
    log.submit(Array.from({ length: count }, (_, i) => submission(i, i === 0 ? [] : [i - 1])));
    log.fail(0);
    expect(log.ledger.live.size).toBe(0);
    const last = log.ledger.settled.get(idOf(count - 1));
    const told = last === undefined ? null : tell(log.ledger, last).reason;
    // 15 links, then the root.
    expect(told).toMatchObject({ type: "dependency_failed", omitted: count - 1 - 16 });
    expect(told?.type === "dependency_failed" && told.chain.at(-1)?.id).toBe(idOf(0));
  });

  test("on a task that has failed already fails at once", () => {
    log.submit([submission(1)]);
    log.fail(1);
    expect(typesOf(log.submit([submission(2, [1])]))).toEqual(["submitted", "settled"]);
    expect(log.outcomeOf(2)).toBe("failed");
  });
});

describe("a cycle", () => {
  const cycleOf = (id: number): unknown => log.ledger.settled.get(idOf(id))?.verdict;

  test("of one task with itself is refused", () => {
    log.submit([submission(1, [1])]);
    expect(log.outcomeOf(1)).toBe("rejected");
    expect(cycleOf(1)).toEqual({ type: "cycle", path: [idOf(1), idOf(1)] });
  });

  test("is refused where its last edge appears, with its path, and fails who waits for it", () => {
    log.submit([submission(1, [3]), submission(2, [1])]);
    log.submit([submission(3, [2])]);
    expect(outcomes(3, 1, 2)).toEqual(["rejected", "failed", "failed"]);
    expect(cycleOf(3)).toEqual({ type: "cycle", path: [idOf(3), idOf(2), idOf(1), idOf(3)] });
  });

  test("that is long is told with its beginning and its end", () => {
    const count = 5_000;
    log.submit(Array.from({ length: count }, (_, i) => submission(i, [i === 0 ? count : i - 1])));
    log.submit([submission(count, [count - 1])]);
    const verdict = log.ledger.settled.get(idOf(count))?.verdict;
    expect(verdict?.type === "cycle" && verdict.path.length).toBe(1_000);
    expect(verdict?.type === "cycle" && [verdict.path[0], verdict.path.at(-1)]).toEqual([
      idOf(count),
      idOf(count),
    ]);
    expect(log.ledger.live.size).toBe(0);
  });
});

describe("an id that nobody has submitted", () => {
  test("fails who waits for it after a minute, by its name", () => {
    log.submit([submission(1, [9]), submission(2, [1])]);
    log.tick();
    log.tick(59_000);
    expect(log.outcomeOf(1)).toBe("waiting");
    log.tick(2_000);
    expect(outcomes(1, 2)).toEqual(["failed", "failed"]);
    expect(log.ledger.settled.get(idOf(1))?.verdict).toEqual({
      type: "unknown_dependency",
      dependency: idOf(9),
    });
    expect(log.ledger.unknown.size).toBe(0);
  });

  test("is awaited no more once it was submitted, however long it then takes", () => {
    log.submit([submission(1, [9], { dependencyTimeoutMs: 0 })]);
    log.tick(59_000);
    log.submit([submission(9)]);
    log.tick(600_000);
    expect(outcomes(1, 9)).toEqual(["waiting", "released"]);
    log.succeed(9);
    expect(log.outcomeOf(1)).toBe("released");
  });

  test("is waited for from the first control record on: a pause without a leader is not its fault", () => {
    log.submit([submission(1, [9])]);
    log.nowMs += 3_600_000;
    log.elect();
    expect(log.outcomeOf(1)).toBe("waiting");
    log.submit([submission(9)]);
    log.succeed(9);
    expect(log.outcomeOf(1)).toBe("released");
  });
});

describe("a finish", () => {
  test("of an attempt that is not current is void (I3)", () => {
    log.submit([submission(1)]);
    log.lose(1);
    const stale = log.finish([{ id: idOf(1), outcome: "succeeded", attempt: 1 }]);
    expect(typesOf(stale)).toEqual(["void: finish of an attempt that is not current"]);
    const future = log.finish([{ id: idOf(1), outcome: "succeeded", attempt: 3 }]);
    expect(typesOf(future)).toEqual(["void: finish of an attempt that is not current"]);
    log.finish([{ id: idOf(1), outcome: "succeeded", attempt: 2 }]);
    expect(log.outcomeOf(1)).toBe("succeeded");
  });

  test("of a task that waits, has settled or was never submitted is void (I1)", () => {
    log.submit([submission(1), submission(2, [1])]);
    expect(typesOf(log.succeed(2))).toEqual(["void: finish of an attempt that is not current"]);
    log.succeed(1);
    expect(typesOf(log.fail(1))).toEqual(["void: finish of a settled task"]);
    expect(typesOf(log.succeed(7))).toEqual(["void: finish of an unknown task"]);
    expect(log.outcomeOf(1)).toBe("succeeded");
  });

  test("of two workers that ran one attempt counts from the first, whatever the second says", () => {
    const other = Sender.of(Identity.parse("worker"), InstanceId.parse("w2"));
    log.submit([submission(1), submission(2, [1])]);
    log.succeed(1);
    const second = log.finish([{ id: idOf(1), outcome: "failed", attempt: 1 }], other);
    expect(typesOf(second)).toEqual(["void: finish of a settled task"]);
    expect(outcomes(1, 2)).toEqual(["succeeded", "released"]);
  });

  test("that gives an attempt back opens the next one, and is no try", () => {
    log.submit([submission(1)]);
    const effects = log.finish([{ id: idOf(1), outcome: "returned", started: false }]);
    expect(effects).toMatchObject([{ type: "attempt_opened", previous: 1 }]);
    expect(log.ledger.live.get(idOf(1))).toMatchObject({ attempt: 2, tries: 0, state: "released" });
  });
});

describe("repeats", () => {
  test("of any record are void", () => {
    log.submit([submission(1)]);
    expect(typesOf(log.repeat())).toEqual(["void: repeat"]);
    log.succeed(1);
    expect(typesOf(log.repeat())).toEqual(["void: repeat"]);
    log.cancel([1]);
    expect(typesOf(log.repeat())).toEqual(["void: repeat"]);
  });

  test("of an id by another sender make it follow the task that is there", () => {
    log.submit([submission(1)]);
    const other = Sender.of(Identity.parse("client"), InstanceId.parse("c2"));
    expect(log.submit([submission(1)], other)).toEqual([
      { type: "submitted_again", id: idOf(1), sender: other },
    ]);
  });

  test("are known as such for two hours after their sender's last record, and then forgotten", () => {
    log.submit([submission(1)]);
    const before = log.ledger.senders.size;
    log.tick(7_190_000);
    expect(log.ledger.senders.size).toBe(before);
    log.tick(20_000);
    expect(log.ledger.senders.size).toBe(0);
  });
});

describe("cancel", () => {
  test("of a task that waits ends it, and fails what waits for it", () => {
    log.submit([submission(1), submission(2, [1]), submission(3, [2])]);
    log.cancel([2], "enough");
    expect(outcomes(1, 2, 3)).toEqual(["released", "cancelled", "failed"]);
    expect(log.ledger.settled.get(idOf(2))?.verdict).toEqual({
      type: "cancelled",
      reason: "enough",
      stopped: "before_release",
      children: 0,
      dependents: 0,
    });
  });

  test("of a released task asks its worker; the first of finish and loss settles it", () => {
    log.submit([submission(1), submission(2)]);
    expect(typesOf(log.cancel([1, 2]))).toEqual(["cancelling", "cancelling"]);
    log.succeed(1);
    expect(log.outcomeOf(1)).toBe("succeeded");
    log.lose(2, { started: false, lostWorker: null });
    expect(log.ledger.settled.get(idOf(2))?.verdict).toMatchObject({
      type: "cancelled",
      stopped: "before_start",
    });
  });

  test("that overtakes its submit counts for a minute", () => {
    log.cancel([1, 2]);
    log.submit([submission(1)]);
    expect(log.outcomeOf(1)).toBe("cancelled");
    log.tick(62_000);
    log.submit([submission(2)]);
    expect(log.outcomeOf(2)).toBe("released");
  });

  test("of a settled task changes nothing (I1)", () => {
    log.submit([submission(1)]);
    log.succeed(1);
    expect(typesOf(log.cancel([1]))).toEqual(["void: cancel of a settled task"]);
    expect(log.outcomeOf(1)).toBe("succeeded");
  });
});
