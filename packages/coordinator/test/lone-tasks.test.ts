/** Tasks that lost workers before run alone, so that the next loss is evidence (S3). */
import type { Presence, Sender } from "@weft/protocol";
import { beforeEach, describe, expect, test } from "vitest";
import { Scheduler } from "../src/core/scheduler/index.ts";
import { checkScheduler } from "../src/core/scheduler/invariants.ts";
import { presenceOf } from "./presence.ts";
import { idOf, submission, TestLog } from "./test-log.ts";

const worker = (number: number): Sender => `worker.w${number}` as Sender;

let log: TestLog;
let scheduler: Scheduler;
beforeEach(() => {
  log = new TestLog();
  log.elect();
  scheduler = new Scheduler((id) => log.ledger.live.get(id));
});

function hear(id: Sender, more: Partial<Presence> = {}): void {
  const known = [...(scheduler.workers.get(id)?.out ?? [])].map(({ task, attempt }) => ({
    id: task.id,
    attempt,
  }));
  scheduler.seen(id, presenceOf({ credits: 3, held: known, ...more }), 0);
}

/** Submits the task, which has lost so many workers already, and lets it be placed. */
function submit(id: number, losses = 0): void {
  log.submit([submission(id)]);
  for (let i = 0; i < losses; i++) log.lose(id);
  const task = log.ledger.live.get(idOf(id));
  if (task !== undefined) scheduler.ready(task);
}

function place(): string[] {
  const placed = scheduler.place().map(({ task, worker: at }) => `${Number(task.id.slice(6))} at ${at.id}`);
  expect(checkScheduler(scheduler, log.ledger)).toEqual([]);
  return placed;
}

function succeed(id: number): void {
  const task = log.live(id);
  log.succeed(id);
  scheduler.over(task);
}

describe("a task that lost two workers", () => {
  test("is placed on a worker that has nothing, and nothing is placed beside it until it is over", () => {
    hear(worker(1));
    submit(1, 2);
    submit(2);
    expect(place()).toEqual(["1 at worker.w1"]);
    submit(3);
    expect(place()).toEqual([]);
    succeed(1);
    expect(place()).toEqual(["2 at worker.w1", "3 at worker.w1"]);
  });

  test("has a worker emptied for it where all are busy: the one with the least to do", () => {
    hear(worker(1));
    hear(worker(2));
    for (let id = 1; id <= 4; id++) submit(id);
    expect(place()).toHaveLength(4);
    submit(9, 2);
    expect(place()).toEqual([]);
    const kept = [...scheduler.workers.values()].find(({ keptFor }) => keptFor === idOf(9));
    expect(kept).toBeDefined();
    // What comes meanwhile goes to the other one.
    for (let id = 5; id <= 9; id++) if (id !== 9) submit(id);
    const others = place();
    expect(others.every((each) => !each.endsWith(kept?.id ?? ""))).toBe(true);
    for (const id of [...(kept?.out ?? [])].map(({ task }) => task.id)) succeed(Number(id.slice(6)));
    expect(place()).toContain(`9 at ${kept?.id}`);
  });

  test("leaves at least half of the workers to the others, however many such tasks there are", () => {
    for (let at = 1; at <= 4; at++) hear(worker(at));
    for (let id = 1; id <= 12; id++) submit(id);
    expect(place()).toHaveLength(12);
    for (let id = 20; id < 30; id++) submit(id, 2);
    place();
    expect([...scheduler.workers.values()].filter(({ keptFor }) => keptFor !== null)).toHaveLength(2);
  });

  test("lets go of its worker where it is cancelled before it gets there", () => {
    hear(worker(1));
    submit(1);
    expect(place()).toEqual(["1 at worker.w1"]);
    submit(9, 2);
    expect(place()).toEqual([]);
    submit(2);
    expect(place()).toEqual([]);
    const lone = log.live(9);
    log.cancel([9]);
    log.lose(9, { started: false, lostWorker: null });
    scheduler.over(lone);
    submit(3);
    expect(place().sort()).toEqual(["2 at worker.w1", "3 at worker.w1"]);
  });

  test("that a worker holds under a new leader keeps it to itself", () => {
    log.submit([submission(1), submission(2)]);
    for (let i = 0; i < 2; i++) log.lose(1);
    hear(worker(1), { held: [{ id: idOf(1), attempt: 3 }] });
    const task = log.ledger.live.get(idOf(2));
    if (task !== undefined) scheduler.ready(task);
    expect(place()).toEqual([]);
    succeed(1);
    expect(place()).toEqual(["2 at worker.w1"]);
  });

  test("is found by its five losses to be what kills workers, and a neighbour of two of them is not", () => {
    submit(1);
    submit(2);
    for (let at = 1; log.ledger.live.has(idOf(1)); at++) {
      hear(worker(at));
      place();
      const lost = scheduler.gone(worker(at)).map(({ task, attempt, isBegun }) => ({
        id: task.id,
        attempt,
        started: isBegun,
        lostWorker: worker(at),
      }));
      log.control({ type: "lost", attempts: lost });
      for (const { id } of lost) {
        const task = log.ledger.live.get(id);
        if (task !== undefined) scheduler.ready(task);
      }
      expect(at).toBeLessThan(10);
      // The neighbour does no harm where it is alone.
      hear(worker(100 + at));
      for (const placed of scheduler.place()) {
        if (placed.task.id === idOf(2)) succeed(2);
        else {
          scheduler.over(placed.task);
          scheduler.gone(worker(100 + at));
          scheduler.ready(placed.task);
        }
      }
      scheduler.gone(worker(100 + at));
    }
    expect(log.outcomeOf(2)).toBe("succeeded");
    const verdict = log.ledger.settled.get(idOf(1))?.verdict;
    expect(verdict).toMatchObject({ type: "workers_lost" });
    expect(verdict?.type === "workers_lost" ? verdict.losses.map((each) => each.worker) : []).toHaveLength(5);
  });
});

describe("what is known to have begun", () => {
  test("is what came first, as many as the worker has slots", () => {
    hear(worker(1), { slots: 2, credits: 4 });
    for (let id = 1; id <= 4; id++) submit(id);
    expect(place()).toHaveLength(4);
    expect([1, 2, 3, 4].map((id) => scheduler.isBegun(idOf(id)))).toEqual([true, true, false, false]);
    succeed(1);
    expect([2, 3, 4].map((id) => scheduler.isBegun(idOf(id)))).toEqual([true, true, false]);
    expect(scheduler.gone(worker(1)).map(({ isBegun }) => isBegun)).toEqual([true, true, false]);
    expect(scheduler.isBegun(idOf(2))).toBe(false);
  });

  test("has expired once its time, its worker's grace and the margin are over, and is told once", () => {
    hear(worker(1), { slots: 1, graceMs: 500 });
    log.submit([1, 2].map((id) => submission(id, [], { timeoutMs: 1_000 })));
    for (const task of log.ledger.live) scheduler.ready(task);
    place();
    const expired = (nowMs: number): string[] => scheduler.takeExpired(nowMs, 200).map(({ id }) => id);
    expect(expired(10_000)).toEqual([]);
    expect(expired(11_699)).toEqual([]);
    expect(expired(11_700)).toEqual([idOf(1)]);
    expect(expired(20_000)).toEqual([]);
    succeed(1);
    // The second runs from now on only.
    expect(expired(20_000)).toEqual([]);
    expect(expired(21_700)).toEqual([idOf(2)]);
  });
});
