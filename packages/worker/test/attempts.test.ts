/** What a worker holds, command by command. */
import type { AttemptRef } from "@weft/protocol";
import { describe, expect, test } from "vitest";
import { heldBytes, waitUntil } from "../../testing/src/index.ts";
import { Attempts, type Held } from "../src/core/attempts.ts";
import { assignmentOf, taskId } from "./assignment.ts";

const first = assignmentOf({ id: taskId(1) });
const second = assignmentOf({ id: taskId(2) });
const third = assignmentOf({ id: taskId(3) });

/** What is held of an attempt. */
function heldOf(attempts: Attempts, ref: AttemptRef): Held {
  const held = attempts.find(ref);
  if (held === null) throw new Error(`${ref.id} is not held`);
  return held;
}

describe("attempts", () => {
  test("start in the order in which they were assigned, as slots become free (A1)", () => {
    const attempts = new Attempts(1, 3);
    for (const each of [first, second, third]) expect(attempts.assign(each)).toBe("queued");
    const held = heldOf(attempts, first);
    expect(attempts.start()).toBe(held);
    expect(attempts.start()).toBeNull();
    expect(attempts.finishing(held)).toBe(true);
    attempts.codeEnded(held);
    expect(attempts.start()?.assignment).toBe(second);
    expect(attempts.running).toBe(1);
  });

  test.each(["finishing", "drop"] as const)(
    "that are over (%s) keep their slot for as long as their code goes on (A1)",
    (how) => {
      const attempts = new Attempts(1, 3);
      for (const each of [first, second]) attempts.assign(each);
      attempts.start();
      const held = heldOf(attempts, first);
      attempts[how](held);
      expect(attempts.start()).toBeNull();
      expect([attempts.running, attempts.leftBehind]).toEqual([1, 1]);
      attempts.codeEnded(held);
      expect([attempts.running, attempts.leftBehind]).toEqual([0, 0]);
      expect(attempts.start()?.assignment).toBe(second);
    },
  );

  test("that go ahead of a slot take it when they begin, and none where they never do (A1)", () => {
    const attempts = new Attempts(1, 3);
    for (const each of [first, second, third]) attempts.assign(each);
    const [one, two, three] = [first, second, third].map((each) => heldOf(attempts, each)) as [
      Held,
      Held,
      Held,
    ];
    attempts.start();
    expect(attempts.next()).toBe(second);
    expect(attempts.startAhead()).toBe(two);
    expect([two.state, two.hasBegun]).toEqual(["running", false]);
    expect([attempts.running, attempts.ahead, attempts.leftBehind]).toEqual([1, 1, 0]);
    expect(attempts.next()).toBe(third);

    attempts.finishing(one);
    attempts.aheadBegan(two);
    expect(two.hasBegun).toBe(true);
    attempts.codeEnded(one);
    expect([attempts.running, attempts.ahead, attempts.leftBehind]).toEqual([1, 0, 0]);

    attempts.startAhead();
    attempts.drop(three);
    expect(attempts.leftBehind).toBe(1);
    attempts.codeEnded(three);
    expect([attempts.running, attempts.ahead, attempts.leftBehind]).toEqual([1, 0, 0]);
  });

  test("above the credits are refused, and the place is free once the log has a finish (A2, A3)", () => {
    const attempts = new Attempts(2, 2);
    attempts.assign(first);
    attempts.assign(second);
    expect(attempts.assign(third)).toBe("refused");
    attempts.start();
    const held = heldOf(attempts, first);
    attempts.finishing(held);
    expect(attempts.assign(third)).toBe("refused");
    expect(attempts.held()).toContainEqual({ id: first.id, attempt: 1 });
    attempts.appended(held);
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
    attempts.finishing(heldOf(attempts, first));
    attempts.codeEnded(heldOf(attempts, first));
    expect(attempts.assign(first)).toBe("known");
    expect(attempts.start()).toBeNull();
    expect(attempts.size).toBe(1);
  });

  test("a newer attempt takes the place of an older one, in every state of it (A4)", () => {
    const newer = assignmentOf({ id: taskId(1), attempt: 2 });
    for (const state of ["queued", "running", "finishing"] as const) {
      const attempts = new Attempts(1, 1);
      attempts.assign(first);
      const older = heldOf(attempts, first);
      if (state !== "queued") attempts.start();
      if (state === "finishing") attempts.finishing(older);
      expect(older.state).toBe(state);
      expect(attempts.assign(newer)).toBe("queued");
      expect(attempts.find(first)).toBeNull();
      expect(attempts.finishing(older)).toBe(false);
      attempts.appended(older);
      attempts.drop(older);
      expect(attempts.find(newer)?.state).toBe("queued");
      if (state !== "queued") attempts.codeEnded(older);
      expect(attempts.start()?.assignment).toBe(newer);
      expect(attempts.assign(first)).toBe("known");
      expect(attempts.running).toBe(1);
    }
  });

  test("an attempt that was dropped and assigned again runs once", () => {
    const attempts = new Attempts(2, 2);
    attempts.assign(first);
    attempts.drop(heldOf(attempts, first));
    const again = assignmentOf({ id: taskId(1) });
    attempts.assign(again);
    expect(attempts.start()?.assignment).toBe(again);
    expect(attempts.start()).toBeNull();
  });

  test("the code of one that was dropped says nothing of the same one assigned again", () => {
    const attempts = new Attempts(1, 1);
    attempts.assign(first);
    const before = heldOf(attempts, first);
    attempts.start();
    attempts.drop(before);
    attempts.assign(assignmentOf({ id: taskId(1) }));
    expect(attempts.finishing(before)).toBe(false);
    attempts.appended(before);
    attempts.codeEnded(before);
    expect([heldOf(attempts, first).state, attempts.running]).toEqual(["queued", 0]);
  });

  test("only those that have not begun are given back", () => {
    const attempts = new Attempts(1, 3);
    for (const each of [first, second, third]) attempts.assign(each);
    attempts.start();
    expect(attempts.queued().map(({ assignment }) => assignment)).toEqual([second, third]);
    attempts.finishing(heldOf(attempts, second));
    expect(attempts.queued().map(({ assignment }) => assignment)).toEqual([third]);
  });

  test("are found by task and attempt, and not where another of the task is held or none", () => {
    const attempts = new Attempts(1, 1);
    attempts.assign(first);
    expect(attempts.find({ id: first.id, attempt: 1 })?.assignment).toBe(first);
    expect(attempts.find({ id: first.id, attempt: 2 })).toBeNull();
    expect(attempts.find(second)).toBeNull();
  });

  test("leave nothing to be appended before they end", () => {
    const attempts = new Attempts(1, 1);
    attempts.assign(first);
    const held = heldOf(attempts, first);
    attempts.appended(held);
    attempts.start();
    attempts.appended(held);
    expect([attempts.find(first)?.state, attempts.running]).toEqual(["running", 1]);
  });

  test("that have ended leave nothing of their arguments in memory", async () => {
    const attempts = new Attempts(1, 2);
    const left = (number: number): WeakRef<Uint8Array> => {
      const assignment = assignmentOf({ id: taskId(number), input: new Uint8Array(1_000) });
      attempts.assign(assignment);
      attempts.start();
      const held = heldOf(attempts, assignment);
      attempts.finishing(held);
      attempts.codeEnded(held);
      attempts.appended(held);
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
