import { type Presence, type Sender, TaskName } from "@weft/protocol";
import { beforeEach, describe, expect, test } from "vitest";
import { Scheduler } from "../src/core/scheduler/index.ts";
import { checkScheduler } from "../src/core/scheduler/invariants.ts";
import { presenceOf } from "./presence.ts";
import { idOf, submission, TestLog } from "./test-log.ts";

const W1 = "worker.w1" as Sender;
const W2 = "worker.w2" as Sender;

let log: TestLog;
let scheduler: Scheduler;
beforeEach(() => {
  log = new TestLog();
  log.elect();
  scheduler = new Scheduler((id) => log.ledger.live.get(id));
});

const holding = (...ids: readonly number[]): Pick<Presence, "held"> => ({
  held: ids.map((id) => ({ id: idOf(id), attempt: log.ledger.live.get(idOf(id))?.attempt ?? 1 })),
});

function submit(...tasks: Parameters<TestLog["submit"]>[0]): void {
  for (const effect of log.submit(tasks)) if (effect.type === "released") scheduler.ready(effect.task);
}

function place(): string[] {
  const placed = scheduler
    .place()
    .map(({ task, worker }) => `${Number(task.id.slice(6))} at ${worker.id.slice(7)}`);
  expect(checkScheduler(scheduler, log.ledger)).toEqual([]);
  return placed;
}

describe("placement", () => {
  test("never goes beyond the credits that a worker gave (I5)", () => {
    scheduler.seen(W1, presenceOf(), 0);
    submit(submission(1), submission(2), submission(3));
    expect(place()).toEqual(["1 at w1", "2 at w1"]);
    expect(place()).toEqual([]);
    const first = log.live(1);
    log.succeed(1);
    scheduler.over(first);
    expect(place()).toEqual(["3 at w1"]);
  });

  test("goes by priority, then by age, across names", () => {
    scheduler.seen(W1, presenceOf({ credits: 10 }), 0);
    submit(
      submission(1),
      submission(2),
      submission(3, [], { priority: 5 }),
      submission(4),
      submission(5, [], { priority: -1 }),
    );
    expect(place().map((each) => each[0])).toEqual(["3", "1", "2", "4", "5"]);
  });

  test("takes the worker with the most room, and only those that have the name and all labels", () => {
    scheduler.seen(W1, presenceOf({ credits: 2, labels: ["gpu", "big"] }), 0);
    scheduler.seen(W2, presenceOf({ credits: 9, names: [TaskName.parse("t1")] }), 0);
    submit(
      submission(1),
      submission(2),
      submission(3, [], { labels: ["gpu", "big"] }),
      submission(4, [], { labels: ["gpu", "small"] }),
    );
    expect(place()).toEqual(["1 at w2", "2 at w1", "3 at w1"]);
    expect(scheduler.readyCount).toBe(1);
  });

  test("takes a worker with a free slot before one with a long line that has none", () => {
    scheduler.seen(W1, presenceOf({ slots: 2, credits: 50 }), 0);
    submit(submission(1), submission(2));
    expect(place()).toEqual(["1 at w1", "2 at w1"]);
    scheduler.seen(W1, presenceOf({ slots: 2, credits: 50, ...holding(1, 2) }), 0);
    scheduler.seen(W2, presenceOf({ slots: 2, credits: 6 }), 0);
    submit(submission(3), submission(4), submission(5));
    expect(place()).toEqual(["3 at w2", "4 at w2", "5 at w1"]);
  });

  test("gives nothing to a worker that drains", () => {
    scheduler.seen(W1, presenceOf({ state: "draining" }), 0);
    submit(submission(1));
    expect(place()).toEqual([]);
    expect(scheduler.readyCount).toBe(1);
  });

  test("gives nothing to a worker that is blocked, until it is heard of again", () => {
    scheduler.seen(W1, presenceOf(), 0);
    scheduler.block(W1);
    submit(submission(1));
    expect(place()).toEqual([]);
    scheduler.seen(W1, presenceOf(), 1);
    expect(place()).toEqual(["1 at w1"]);
  });

  test("passes over what was cancelled or settled while it was in the queue", () => {
    submit(submission(1), submission(2), submission(3));
    log.cancel([1]);
    log.succeed(2);
    scheduler.seen(W1, presenceOf(), 0);
    expect(place()).toEqual(["3 at w1"]);
  });
});

describe("a worker that is gone", () => {
  test("leaves exactly what was out at it", () => {
    scheduler.seen(W1, presenceOf({ credits: 1 }), 0);
    scheduler.seen(W2, presenceOf({ credits: 1 }), 0);
    submit(submission(1), submission(2));
    expect(place()).toEqual(["1 at w1", "2 at w2"]);
    expect(scheduler.gone(W1).map(({ task, attempt }) => [task.id, attempt])).toEqual([[idOf(1), 1]]);
    expect(scheduler.gone(W1)).toEqual([]);
    expect(scheduler.workerOf(idOf(2))?.id).toBe(W2);
  });
});

describe("a message that was lost", () => {
  test("is found out by the worker's own word, once the fold has what the worker appended (S3)", () => {
    scheduler.seen(W1, presenceOf({ credits: 3 }), 0);
    submit(submission(1), submission(2), submission(3));
    for (const [index, out] of scheduler.place().entries()) out.message = index + 1;
    // It has seen the first two messages and holds only the second task: the first is lost, or its finish on the way.
    scheduler.seen(W1, presenceOf({ credits: 3, seen: 2, appendedSeq: 50, ...holding(2) }), 1);
    expect(scheduler.takeMissing(W1, 1, 49)).toEqual([]);
    expect(scheduler.takeMissing(W1, 2, 50)).toEqual([]);
    expect(scheduler.takeMissing(W1, 1, 50).map(({ id }) => id)).toEqual([idOf(1)]);
    expect(scheduler.workerOf(idOf(3))?.id).toBe(W1);
  });
});

describe("a new leader", () => {
  test("takes over what workers hold, and places the rest once they have spoken", () => {
    log.submit([submission(1), submission(2), submission(3)]);
    scheduler.takeOver(log.ledger.live);
    scheduler.seen(W1, presenceOf(holding(2)), 0);
    expect(place()).toEqual([]);
    expect(scheduler.workerOf(idOf(2))?.id).toBe(W1);
    log.cancel([3]);
    expect(scheduler.releaseHeldBack().map(({ task }) => task.id)).toEqual([idOf(3)]);
    expect(place()).toEqual(["1 at w1"]);
  });

  test("does not go by what the leader before it had noted of tasks", () => {
    scheduler.seen(W1, presenceOf(), 0);
    submit(submission(1), submission(2));
    expect(place()).toEqual(["1 at w1", "2 at w1"]);
    scheduler = new Scheduler((id) => log.ledger.live.get(id));
    scheduler.takeOver(log.ledger.live);
    expect(scheduler.workerOf(idOf(1))).toBeNull();
    scheduler.seen(W2, presenceOf(holding(2)), 0);
    expect(scheduler.workerOf(idOf(2))?.id).toBe(W2);
    scheduler.releaseHeldBack();
    expect(place()).toEqual(["1 at w2"]);
  });

  test("keeps one of two claimants and tells the other to stop", () => {
    log.submit([submission(1)]);
    scheduler.takeOver(log.ledger.live);
    expect(scheduler.seen(W1, presenceOf(holding(1)), 0).stray).toEqual([]);
    expect(scheduler.seen(W2, presenceOf(holding(1)), 0).stray).toEqual([{ id: idOf(1), attempt: 1 }]);
    expect(scheduler.workerOf(idOf(1))?.id).toBe(W1);
  });

  test("calls a claim of an attempt that is over a stray one", () => {
    log.submit([submission(1), submission(2)]);
    log.lose(1);
    log.succeed(2);
    const held = [
      { id: idOf(1), attempt: 1 },
      { id: idOf(2), attempt: 1 },
      { id: idOf(9), attempt: 1 },
    ];
    expect(scheduler.seen(W1, presenceOf({ held }), 0).stray).toEqual(held);
  });

  test("hears of a cancel that the worker may have missed", () => {
    log.submit([submission(1)]);
    log.cancel([1]);
    const { cancelling } = scheduler.seen(W1, presenceOf(holding(1)), 0);
    expect(cancelling.map(({ id }) => id)).toEqual([idOf(1)]);
  });
});
