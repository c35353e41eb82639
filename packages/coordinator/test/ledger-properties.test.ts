/** The ledger under whatever order of records: what must hold after each, and that everything settles in the end. */
import type { LogRecord, LogSubject } from "@weft/protocol";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Effect } from "../src/core/ledger/effect.ts";
import type { Ledger } from "../src/core/ledger/ledger.ts";
import { isReleased } from "../src/core/ledger/task.ts";
import { IDS, type Step, steps, stepsWithRetention } from "./ledger-steps.ts";
import { newLedger, TestLog } from "./test-log.ts";

function play(all: readonly Step[]): TestLog {
  const log = new TestLog();
  log.elect();
  for (const each of all) each(log);
  return log;
}

/** Whatever still waits for nobody's task fails after its minute; what is released is finished. */
function heal(log: TestLog): void {
  for (let left = IDS * 2; left > 0 && log.ledger.live.size > 0; left--) {
    const released = [...log.ledger.live].filter(isReleased);
    // Longer than any wait between tries, and than the wait for an id that nobody submits.
    if (released.length === 0) log.tick(110_000);
    for (const task of released) log.finish([{ id: task.id, outcome: "succeeded" }]);
  }
}

function stateOf(ledger: Ledger): unknown {
  const live = [...ledger.live].map((task) => ({
    ...task,
    dependents: task.dependents.map((each) => each.id),
  }));
  const { seq, epoch, lastControlSeq, clock, unknown, timers, settings, expiredToMs } = ledger;
  const children = [...ledger.children].map(([parent, all]) => [parent, [...all].map((each) => each.id)]);
  return {
    live,
    settled: [...ledger.settled.values()],
    seq,
    epoch,
    lastControlSeq,
    now: clock.nowMs,
    unknown: [...unknown.keys()],
    children,
    timers: timers.size,
    settings,
    expiredToMs,
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
          for (const settled of log.ledger.settled.values()) {
            const settledId = settled.id;
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
            [...log.ledger.live].map((task) => [task.id, `${task.state} ${task.attempt}`]),
          );
          const known = log.effects.length;
          each(log);
          const taken = log.effects
            .slice(known)
            .flatMap((effect) => (effect.type === "submitted" ? [effect.task] : []));
          for (const { id: child, parent } of taken) {
            if (parent === null || log.ledger.settled.get(child)?.verdict?.type === "parent_gone") continue;
            // Its parent may be of the same record, before it.
            // Of a parent that is being stopped it is taken only to be cancelled with it.
            if (!before.has(parent.id)) expect(taken.map(({ id: other }) => other)).toContain(parent.id);
            else
              expect(before.get(parent.id)).toMatch(new RegExp(`^(released|cancelling) ${parent.attempt}$`));
          }
        }
      }),
      { numRuns: 300 },
    );
  });

  test("a try waits for as long as it has to, and no failed task is tried again beyond its policy", () => {
    class WatchedLog extends TestLog {
      override append(subject: LogSubject, given: LogRecord | null): Effect[] {
        const before = new Map([...this.ledger.live].map((task) => [task, { ...task }]));
        const effects = super.append(subject, given);
        for (const effect of effects) {
          if (effect.type !== "released" && effect.type !== "attempt_opened") continue;
          const was = before.get(effect.task);
          if (effect.type === "released" && was?.state === "backing_off") {
            // What was asked for since the last control record has not even begun to wait.
            expect(was.waitDueMs).toBeGreaterThan(0);
            expect(this.ledger.clock.nowMs).toBeGreaterThanOrEqual(was.waitDueMs ?? 0);
          }
          if (effect.type === "attempt_opened" && given?.type === "finish" && was !== undefined) {
            const { terms, tries, state } = effect.task;
            expect(["released", "backing_off"]).toContain(state);
            if (tries > was.tries && effect.task.lastError !== null && state === "backing_off")
              expect(tries).toBeLessThan(terms.retry?.maximumAttempts ?? 0);
          }
        }
        return effects;
      }
    }
    fc.assert(
      fc.property(steps, (all) => {
        const log = new WatchedLog();
        log.elect();
        for (const each of all) each(log);
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
      fc.property(stepsWithRetention, (all) => {
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
