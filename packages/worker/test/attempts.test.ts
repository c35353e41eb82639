/** What a worker holds, command by command. */
import { describe, expect, test } from "vitest";
import { heldBytes, waitUntil } from "../../testing/src/index.ts";
import { Attempts } from "../src/core/attempts.ts";
import { assignmentOf, taskId } from "./assignment.ts";

const first = assignmentOf({ id: taskId(1) });
const second = assignmentOf({ id: taskId(2) });
const third = assignmentOf({ id: taskId(3) });

describe("attempts", () => {
  test("start in the order in which they were assigned, as slots become free (A1)", () => {
    const attempts = new Attempts(1, 3);
    for (const each of [first, second, third]) expect(attempts.assign(each)).toBe("queued");
    expect(attempts.start()).toBe(first);
    expect(attempts.start()).toBeNull();
    expect(attempts.finishing(first.id, 1)).toBe(true);
    attempts.codeEnded();
    expect(attempts.start()).toBe(second);
    expect(attempts.running).toBe(1);
  });

  test.each(["finishing", "drop"] as const)(
    "that are over (%s) keep their slot for as long as their code goes on (A1)",
    (how) => {
      const attempts = new Attempts(1, 3);
      for (const each of [first, second]) attempts.assign(each);
      attempts.start();
      attempts[how](first.id, 1);
      expect(attempts.start()).toBeNull();
      expect([attempts.running, attempts.leftBehind]).toEqual([1, 1]);
      attempts.codeEnded();
      expect([attempts.running, attempts.leftBehind]).toEqual([0, 0]);
      expect(attempts.start()).toBe(second);
    },
  );

  test("that go ahead of a slot take it when they begin, and none where they never do (A1)", () => {
    const attempts = new Attempts(1, 3);
    for (const each of [first, second, third]) attempts.assign(each);
    attempts.start();
    expect(attempts.next()).toBe(second);
    attempts.startAhead();
    expect(attempts.stateOf(second.id, 1)).toBe("running");
    expect([attempts.running, attempts.ahead, attempts.leftBehind]).toEqual([1, 1, 0]);
    expect(attempts.next()).toBe(third);

    attempts.finishing(first.id, 1);
    attempts.aheadBegan();
    attempts.codeEnded();
    expect([attempts.running, attempts.ahead, attempts.leftBehind]).toEqual([1, 0, 0]);

    attempts.startAhead();
    attempts.drop(third.id, 1);
    expect(attempts.leftBehind).toBe(1);
    attempts.aheadEnded();
    expect([attempts.running, attempts.ahead, attempts.leftBehind]).toEqual([1, 0, 0]);
  });

  test("above the credits are refused, and the place is free once the log has a finish (A2, A3)", () => {
    const attempts = new Attempts(2, 2);
    attempts.assign(first);
    attempts.assign(second);
    expect(attempts.assign(third)).toBe("refused");
    attempts.start();
    attempts.finishing(first.id, 1);
    expect(attempts.assign(third)).toBe("refused");
    expect(attempts.held()).toContainEqual({ id: first.id, attempt: 1 });
    attempts.appended(first.id, 1);
    expect(attempts.assign(third)).toBe("queued");
    expect(attempts.held()).toEqual([
      { id: second.id, attempt: 1 },
      { id: third.id, attempt: 1 },
    ]);
  });

  test("that are known already are neither queued twice nor refused", () => {
    const attempts = new Attempts(1, 1);
    attempts.assign(first);
    expect(attempts.assign(assignmentOf({ id: taskId(1) }))).toBe("known");
    attempts.start();
    expect(attempts.assign(first)).toBe("known");
    attempts.finishing(first.id, 1);
    attempts.codeEnded();
    expect(attempts.assign(first)).toBe("known");
    expect(attempts.start()).toBeNull();
    expect(attempts.size).toBe(1);
  });

  test("a newer attempt takes the place of an older one, in every state of it (A4)", () => {
    const newer = assignmentOf({ id: taskId(1), attempt: 2 });
    for (const state of ["queued", "running", "finishing"] as const) {
      const attempts = new Attempts(1, 1);
      attempts.assign(first);
      if (state !== "queued") attempts.start();
      if (state === "finishing") attempts.finishing(first.id, 1);
      expect(attempts.stateOf(first.id, 1)).toBe(state);
      expect(attempts.assign(newer)).toBe("queued");
      expect(attempts.stateOf(first.id, 1)).toBeNull();
      expect(attempts.finishing(first.id, 1)).toBe(false);
      if (state !== "queued") attempts.codeEnded();
      expect(attempts.start()).toBe(newer);
      expect(attempts.assign(first)).toBe("known");
      expect(attempts.running).toBe(1);
    }
  });

  test("an attempt that was dropped and assigned again runs once", () => {
    const attempts = new Attempts(2, 2);
    attempts.assign(first);
    attempts.drop(first.id, 1);
    const again = assignmentOf({ id: taskId(1) });
    attempts.assign(again);
    expect(attempts.start()).toBe(again);
    expect(attempts.start()).toBeNull();
  });

  test("only those that have not begun are given back", () => {
    const attempts = new Attempts(1, 3);
    for (const each of [first, second, third]) attempts.assign(each);
    attempts.start();
    expect(attempts.queued()).toEqual([second, third]);
    attempts.finishing(second.id, 1);
    expect(attempts.queued()).toEqual([third]);
  });

  test("a word about an attempt that is not held changes nothing", () => {
    const attempts = new Attempts(1, 1);
    attempts.assign(first);
    attempts.start();
    attempts.drop(first.id, 2);
    attempts.appended(first.id, 1);
    attempts.appended(second.id, 1);
    expect(attempts.finishing(first.id, 2)).toBe(false);
    expect(attempts.stateOf(first.id, 1)).toBe("running");
    expect(attempts.running).toBe(1);
  });

  test("that have ended leave nothing of their arguments in memory", async () => {
    const attempts = new Attempts(1, 2);
    const left = (number: number): WeakRef<Uint8Array> => {
      const assignment = assignmentOf({ id: taskId(number), input: new Uint8Array(1_000) });
      attempts.assign(assignment);
      attempts.start();
      attempts.finishing(assignment.id, 1);
      attempts.codeEnded();
      attempts.appended(assignment.id, 1);
      return new WeakRef(assignment.args);
    };
    const args = Array.from({ length: 200 }, (_, i) => left(i));
    const kept = (): number => args.filter((each) => each.deref() !== undefined).length;
    await waitUntil(
      () => {
        heldBytes();
        return kept() === 0;
      },
      { what: "that no arguments are kept", story: () => `${kept()} of ${args.length} are kept` },
    );
  });
});
