/** Random words of a leader and of the log, against a model that is a plain list. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { Attempts, type Held, type HeldState } from "../src/core/attempts.ts";
import { assignmentOf, taskId } from "./assignment.ts";

type Entry = { readonly task: number; readonly attempt: number; state: HeldState };
/** What was ever held, whatever became of it since: the code of it may go on, and the log may take its finish. */
type Seen = Held[];
type Command = {
  readonly type: "assign" | "start" | "finish" | "append" | "drop" | "end";
  readonly task: number;
  readonly attempt: number;
};

const command: fc.Arbitrary<Command> = fc.record({
  type: fc.constantFrom("assign", "assign", "start", "start", "finish", "append", "drop", "end"),
  task: fc.integer({ min: 0, max: 7 }),
  attempt: fc.integer({ min: 1, max: 3 }),
});

class Model {
  entries: Entry[] = [];
  /** Those that run, whatever became of their attempts. */
  codes: Held[] = [];
  readonly slots: number;
  readonly credits: number;
  constructor(slots: number, credits: number) {
    this.slots = slots;
    this.credits = credits;
  }
  in(state: HeldState): Entry[] {
    return this.entries.filter((entry) => entry.state === state);
  }
  find(task: number, attempt: number): Entry | undefined {
    return this.entries.find((entry) => entry.task === task && entry.attempt === attempt);
  }
  remove(gone: Entry): void {
    this.entries = this.entries.filter((entry) => entry !== gone);
  }
  assign(task: number, attempt: number): string {
    const held = this.entries.find((entry) => entry.task === task);
    if (held !== undefined && held.attempt >= attempt) return "known";
    if (held !== undefined) this.remove(held);
    if (this.entries.length >= this.credits) return "refused";
    this.entries.push({ task, attempt, state: "queued" });
    return "queued";
  }
  start(): Entry | null {
    const next = this.in("queued")[0];
    if (next === undefined || this.codes.length >= this.slots) return null;
    next.state = "running";
    return next;
  }
}

/** What was last held of an attempt: mostly what still is. */
function seenOf(seen: Seen, { task, attempt }: Command): Held | undefined {
  return seen.findLast(({ assignment }) => assignment.id === taskId(task) && assignment.attempt === attempt);
}

function step(attempts: Attempts, model: Model, seen: Seen, command: Command): void {
  const { type, task, attempt } = command;
  const id = taskId(task);
  const entry = model.find(task, attempt);
  const held = seenOf(seen, command);
  switch (type) {
    case "assign": {
      expect(attempts.assign(assignmentOf({ id, attempt }))).toBe(model.assign(task, attempt));
      const now = attempts.find({ id, attempt });
      if (now !== null && !seen.includes(now)) seen.push(now);
      break;
    }
    case "start": {
      const started = attempts.start();
      const expected = model.start();
      expect(started && [started.assignment.id, started.assignment.attempt]).toEqual(
        expected && [taskId(expected.task), expected.attempt],
      );
      if (started !== null) model.codes.push(started);
      break;
    }
    case "finish": {
      if (held === undefined) break;
      const isNews = entry !== undefined && entry.state !== "finishing";
      expect(attempts.finishing(held)).toBe(isNews);
      if (isNews) entry.state = "finishing";
      break;
    }
    case "end": {
      // Of one whose attempt is over: the others end by their finish.
      const place = model.codes.findIndex(({ state }) => state !== "running");
      const [ended] = place < 0 ? [] : model.codes.splice(place, 1);
      if (ended !== undefined) attempts.codeEnded(ended);
      break;
    }
    case "append":
      if (held !== undefined) attempts.appended(held);
      if (entry?.state === "finishing") model.remove(entry);
      break;
    case "drop":
      if (held !== undefined) attempts.drop(held);
      if (entry !== undefined) model.remove(entry);
      break;
  }
}

function check(attempts: Attempts, model: Model): void {
  const { slots, credits } = model;
  const held = attempts.held();
  expect(attempts.running).toBeLessThanOrEqual(slots);
  expect(held.length).toBeLessThanOrEqual(credits);
  expect(new Set(held.map(({ id }) => id)).size).toBe(held.length);
  expect(held).toEqual(model.entries.map(({ task, attempt }) => ({ id: taskId(task), attempt })));
  for (const { task, attempt, state } of model.entries) {
    expect(attempts.find({ id: taskId(task), attempt })?.state).toBe(state);
  }
  expect(attempts.size).toBe(held.length);
  expect(attempts.running).toBe(model.codes.length);
  expect(attempts.leftBehind).toBe(model.codes.length - model.in("running").length);
  expect(attempts.queued().map(({ assignment }) => assignment.id)).toEqual(
    model.in("queued").map(({ task }) => taskId(task)),
  );
}

test("whatever a leader and the log say, A1 to A4 hold and nothing is lost or run twice", () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 3 }),
      fc.integer({ min: 0, max: 3 }),
      fc.array(command, { maxLength: 80 }),
      (slots, prefetch, commands) => {
        const attempts = new Attempts(slots, slots + prefetch);
        const model = new Model(slots, slots + prefetch);
        const seen: Seen = [];
        for (const each of commands) {
          step(attempts, model, seen, each);
          check(attempts, model);
        }
      },
    ),
    { numRuns: 500 },
  );
});

test("thousands that come and go, some dropped while they wait, all start once and in order", () => {
  fc.assert(
    fc.property(fc.array(fc.boolean(), { minLength: 1, maxLength: 3_000, size: "max" }), (dropped) => {
      const attempts = new Attempts(1, 50);
      const started: string[] = [];
      const startAll = (): void => {
        for (let next = attempts.start(); next !== null; next = attempts.start()) {
          started.push(next.assignment.id);
          attempts.finishing(next);
          attempts.codeEnded(next);
          attempts.appended(next);
        }
      };
      for (const [i, drop] of dropped.entries()) {
        expect(attempts.assign(assignmentOf({ id: taskId(i) }))).toBe("queued");
        const held = attempts.find({ id: taskId(i), attempt: 1 });
        if (drop && held !== null) attempts.drop(held);
        if (i % 40 === 39) startAll();
      }
      startAll();
      expect(started).toEqual(dropped.flatMap((drop, i) => (drop ? [] : [taskId(i)])));
      expect(attempts.size).toBe(0);
    }),
    { numRuns: 20 },
  );
});
