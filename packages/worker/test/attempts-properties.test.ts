/** Random words of a leader and of the log, against a model that is a plain list. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { Attempts, type HeldState } from "../src/core/attempts.ts";
import { assignmentOf, taskId } from "./assignment.ts";

type Entry = { readonly task: number; readonly attempt: number; state: HeldState };
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
  /** How many run, whatever became of their attempts. */
  codes = 0;
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
    if (next === undefined || this.codes >= this.slots) return null;
    next.state = "running";
    this.codes++;
    return next;
  }
}

function step(attempts: Attempts, model: Model, { type, task, attempt }: Command): void {
  const id = taskId(task);
  const entry = model.find(task, attempt);
  switch (type) {
    case "assign":
      expect(attempts.assign(assignmentOf({ id, attempt }))).toBe(model.assign(task, attempt));
      break;
    case "start": {
      const started = attempts.start();
      const expected = model.start();
      expect(started && [started.id, started.attempt]).toEqual(
        expected && [taskId(expected.task), expected.attempt],
      );
      break;
    }
    case "finish": {
      const held = entry !== undefined && entry.state !== "finishing";
      expect(attempts.finishing(id, attempt)).toBe(held);
      if (held) entry.state = "finishing";
      break;
    }
    case "end":
      // Of one whose attempt is over: the others end by their finish.
      if (model.codes === model.in("running").length) break;
      attempts.codeEnded();
      model.codes--;
      break;
    case "append":
      attempts.appended(id, attempt);
      if (entry?.state === "finishing") model.remove(entry);
      break;
    case "drop":
      attempts.drop(id, attempt);
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
    expect(attempts.stateOf(taskId(task), attempt)).toBe(state);
  }
  expect(attempts.size).toBe(held.length);
  expect(attempts.running).toBe(model.codes);
  expect(attempts.leftBehind).toBe(model.codes - model.in("running").length);
  expect(attempts.queued().map(({ id }) => id)).toEqual(model.in("queued").map(({ task }) => taskId(task)));
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
        for (const each of commands) {
          step(attempts, model, each);
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
          started.push(next.id);
          attempts.finishing(next.id, 1);
          attempts.codeEnded();
          attempts.appended(next.id, 1);
        }
      };
      for (const [i, drop] of dropped.entries()) {
        expect(attempts.assign(assignmentOf({ id: taskId(i) }))).toBe("queued");
        if (drop) attempts.drop(taskId(i), 1);
        if (i % 40 === 39) startAll();
      }
      startAll();
      expect(started).toEqual(dropped.flatMap((drop, i) => (drop ? [] : [taskId(i)])));
      expect(attempts.size).toBe(0);
    }),
    { numRuns: 20 },
  );
});
