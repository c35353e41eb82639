/** The ledger under whatever order of records: what must hold after each, and that everything settles in the end. */
import type { SubmissionOptions } from "@weft/protocol";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Effect } from "../src/core/ledger/effect.ts";
import type { Ledger } from "../src/core/ledger/ledger.ts";
import { idOf, newLedger, submission, TestLog } from "./test-log.ts";

const IDS = 12;
const id = fc.integer({ min: 0, max: IDS - 1 });

type Step = (log: TestLog) => void;

const submit = fc
  .array(
    fc.record({
      id,
      dependsOn: fc.array(id, { maxLength: 4 }),
      parent: fc.option(id, { freq: 6, nil: null }),
      late: fc.integer({ min: 0, max: 1 }),
    }),
    { minLength: 1, maxLength: 4 },
  )
  .map(
    (tasks): Step =>
      (log) =>
        void log.submit(
          tasks.map((task) => submission(task.id, task.dependsOn, parentOf(log, task.parent, task.late))),
        ),
  );

/** A child of the parent's current attempt, or of the one before. */
function parentOf(log: TestLog, parent: number | null, late: number): Partial<SubmissionOptions> {
  if (parent === null) return {};
  const attempt = Math.max(1, (log.ledger.live.get(idOf(parent))?.attempt ?? 1) - late);
  return { parent: { id: idOf(parent), attempt } };
}

const finish = fc
  .record({
    id,
    outcome: fc.constantFrom(
      "succeeded" as const,
      "failed" as const,
      "cancelled" as const,
      "returned" as const,
    ),
    started: fc.boolean(),
    late: fc.integer({ min: 0, max: 2 }),
  })
  .map(
    ({ id: which, late, ...rest }): Step =>
      (log) => {
        const current = log.ledger.live.get(idOf(which))?.attempt ?? 1;
        log.finish([{ id: idOf(which), attempt: Math.max(1, current - late), ...rest }]);
      },
  );

const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 4, arbitrary: submit },
  { weight: 6, arbitrary: finish },
  {
    weight: 1,
    arbitrary: id.map(
      (which): Step =>
        (log) =>
          void log.cancel([which]),
    ),
  },
  {
    weight: 2,
    arbitrary: fc.record({ id, started: fc.boolean(), workerLost: fc.boolean() }).map(
      ({ id: which, ...lost }): Step =>
        (log) =>
          void log.lose(which, lost),
    ),
  },
  { weight: 1, arbitrary: fc.constant<Step>((log) => void log.repeat()) },
  { weight: 1, arbitrary: fc.constant<Step>((log) => void log.elect()) },
  {
    weight: 1,
    arbitrary: fc.nat({ max: 90_000 }).map(
      (ms): Step =>
        (log) =>
          void log.tick(ms),
    ),
  },
  { weight: 1, arbitrary: fc.constant<Step>((log) => void log.control({ type: "tick" }, 1)) },
);

const steps = fc.array(step, { maxLength: 60 });

function play(all: readonly Step[]): TestLog {
  const log = new TestLog();
  log.elect();
  for (const each of all) each(log);
  return log;
}

/** Whatever still waits for nobody's task fails after its minute; what is released is finished. */
function heal(log: TestLog): void {
  for (let left = IDS * 2; left > 0 && log.ledger.live.size > 0; left--) {
    const released = [...log.ledger.live.values()].filter(({ state }) => state !== "waiting");
    if (released.length === 0) log.tick(70_000);
    for (const task of released) log.finish([{ id: task.id, outcome: "succeeded" }]);
  }
}

function stateOf(ledger: Ledger): unknown {
  const live = [...ledger.live.values()].map((task) => ({
    ...task,
    dependents: task.dependents.map((each) => each.id),
  }));
  const { seq, epoch, lastControlSeq, clock, unknown } = ledger;
  return {
    live,
    settled: [...ledger.settled],
    seq,
    epoch,
    lastControlSeq,
    now: clock.nowMs,
    unknown: [...unknown.keys()],
  };
}

describe("whatever the order of records", () => {
  test("every cross-reference holds after each (checked by the test's log), and everything settles once healed (I1, I8)", () => {
    fc.assert(
      fc.property(steps, (all) => {
        const log = play(all);
        heal(log);
        expect(log.ledger.live.size).toBe(0);
        // Nobody waits any more for what nobody submitted; its place is given up after its minute.
        log.tick(70_000);
        expect(log.ledger.unknown.size).toBe(0);
        const submitted = log.effects.filter(({ type }) => type === "submitted").length;
        expect(log.ledger.settled.size).toBe(submitted);
      }),
      { numRuns: 500 },
    );
  });

  test("a task settles at most once, and its outcome never changes (I1)", () => {
    fc.assert(
      fc.property(steps, (all) => {
        const log = new TestLog();
        log.elect();
        const outcomes = new Map<string, unknown>();
        for (const each of all) {
          each(log);
          for (const [settledId, settled] of log.ledger.settled) {
            const before = outcomes.get(settledId);
            if (before === undefined) outcomes.set(settledId, structuredClone(settled));
            else expect(settled).toEqual(before);
          }
        }
        const settled = log.effects.filter((effect) => effect.type === "settled").map(({ task }) => task.id);
        expect(new Set(settled).size).toBe(settled.length);
      }),
      { numRuns: 300 },
    );
  });

  test("a task is released only after all it depends on has succeeded (I2)", () => {
    fc.assert(
      fc.property(steps, (all) => {
        const succeeded = new Set<string>();
        for (const effect of play(all).effects) {
          if (effect.type === "settled" && effect.task.outcome === "succeeded") succeeded.add(effect.task.id);
          if (effect.type !== "released") continue;
          expect(effect.task.dependencies.filter((each) => !succeeded.has(each))).toEqual([]);
        }
      }),
      { numRuns: 300 },
    );
  });

  test("a child is taken only while its parent is at the attempt that submitted it, and runs", () => {
    fc.assert(
      fc.property(steps, (all) => {
        const log = new TestLog();
        log.elect();
        for (const each of all) {
          const before = new Map(
            [...log.ledger.live].map(([key, task]) => [key, `${task.state} ${task.attempt}`]),
          );
          const known = log.effects.length;
          each(log);
          const taken = log.effects
            .slice(known)
            .flatMap((effect) => (effect.type === "submitted" ? [effect.task] : []));
          for (const { id: child, parent } of taken) {
            if (parent === null || log.ledger.settled.get(child)?.verdict?.type === "parent_gone") continue;
            // Its parent may be of the same record, before it.
            if (!before.has(parent.id)) expect(taken.map(({ id: other }) => other)).toContain(parent.id);
            else
              expect(before.get(parent.id)).toMatch(new RegExp(`^(released|cancelling) ${parent.attempt}$`));
          }
        }
      }),
      { numRuns: 300 },
    );
  });

  test("attempts only rise, and tries never outnumber them (I3)", () => {
    fc.assert(
      fc.property(steps, (all) => {
        const attempts = new Map<string, number>();
        for (const effect of play(all).effects) {
          if (effect.type !== "attempt_opened") continue;
          expect(effect.previous).toBe(attempts.get(effect.task.id) ?? 1);
          attempts.set(effect.task.id, effect.previous + 1);
        }
      }),
      { numRuns: 300 },
    );
  });

  test("two folds of the same log are equal, with the same effects (I7)", () => {
    fc.assert(
      fc.property(steps, (all) => {
        const log = play(all);
        const again = newLedger();
        const effects: Effect[] = [];
        for (const entry of log.entries) effects.push(...again.apply(entry));
        expect(stateOf(again)).toEqual(stateOf(log.ledger));
        expect(effects.map(({ type }) => type)).toEqual(log.effects.map(({ type }) => type));
      }),
      { numRuns: 300 },
    );
  });

  test("a record that arrives twice, at any place, changes nothing", () => {
    fc.assert(
      fc.property(steps, fc.nat(), (all, at) => {
        const log = play(all);
        const repeated = log.entries[at % log.entries.length];
        if (repeated === undefined || repeated.subject.kind === "control") return;
        const before = stateOf(log.ledger);
        const seq = log.ledger.seq + 1;
        log.append(repeated.subject, repeated.record);
        expect(stateOf(log.ledger)).toEqual({ ...(before as object), seq });
      }),
      { numRuns: 300 },
    );
  });
});
