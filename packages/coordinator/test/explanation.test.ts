/** Why a task is not done: each fact, and the chain of them down to the root. */
import { type Fact, type Presence, type Sender, TaskName } from "@weft/protocol";
import { beforeEach, describe, expect, test } from "vitest";
import { Scheduler } from "../src/core/scheduler/index.ts";
import { because } from "../src/shell/because.ts";
import { explain } from "../src/shell/explanation.ts";
import { presenceOf } from "./presence.ts";
import { idOf, submission, TestLog, WORKER } from "./test-log.ts";

const W1 = "worker.w1" as Sender;
const RETRY = {
  strategy: "fixed",
  maximumAttempts: 5,
  initialIntervalMs: 30_000,
  backoffCoefficient: 1,
  maximumIntervalMs: 30_000,
  jitterPermille: 0,
  nonRetryable: [],
} as const;

let log: TestLog;
let scheduler: Scheduler;
beforeEach(() => {
  log = new TestLog();
  log.elect();
  scheduler = new Scheduler((id) => log.ledger.live.get(id));
});

function hear(more: Partial<Presence> = {}): void {
  scheduler.seen(W1, presenceOf(more), 0);
}

function ready(...ids: readonly number[]): void {
  for (const id of ids) {
    const task = log.ledger.live.get(idOf(id));
    if (task !== undefined) scheduler.ready(task);
  }
  scheduler.place();
}

const factsOf = (id: number): readonly Fact[] => explain(idOf(id), log.ledger, scheduler)?.facts ?? [];
const told = (id: number): string[] => factsOf(id).map(({ type, text }) => `${type}: ${text}`);

describe("a task that waits", () => {
  test("is explained by what it waits for, link by link, down to what no worker can run", () => {
    log.submit([submission(1), submission(2, [1]), submission(3, [2, 1])]);
    log.tick();
    hear({ names: [TaskName.parse("t0")] });
    const facts = factsOf(3);
    expect(facts.map(({ id, type }) => [Number(id.slice(6)), type])).toEqual([
      [3, "dependencies"],
      [3, "time_limit"],
      [2, "dependencies"],
      [2, "time_limit"],
      [1, "no_worker"],
    ]);
    expect(facts[0]?.text).toBe(
      `it waits for 2 of 2 dependencies: t2 ${idOf(2)} (waiting), t1 ${idOf(1)} (released)`,
    );
    expect(facts[1]?.text).toMatch(/^if they take longer, it times out in 10 min, at 20/);
    expect(facts[4]?.text).toBe('no live worker has the task "t1" (1 worker live)');
  });

  test("says which dependency nobody has submitted", () => {
    log.submit([submission(1, [9])]);
    expect(told(1)[0]).toContain(`${idOf(9)} (nobody has submitted it yet)`);
  });

  test("is explained in so many links at most, and says where to go on", () => {
    log.submit(Array.from({ length: 100 }, (_, id) => submission(id, id === 0 ? [] : [id - 1])));
    const facts = factsOf(99);
    expect(facts.length).toBeLessThan(60);
    expect(facts.at(-1)).toMatchObject({ type: "cut", text: `the chain goes on: weft explain ${idOf(78)}` });
  });
});

describe("a task that may run", () => {
  test("is explained by who has it, or by what keeps those that could", () => {
    hear();
    log.submit([submission(1), submission(2), submission(3)]);
    ready(1, 2, 3);
    expect(told(1)).toEqual(["running: worker worker.w1 on here runs it (attempt 1)"]);
    expect(told(2)[0]).toBe("queued: worker worker.w1 on here has it, behind others (attempt 1)");
    expect(told(3)).toEqual([
      "workers_busy: the one worker that can run it is busy",
      `workers_busy: worker worker.w1 (1 slot, takes 2) has ${idOf(1)}, ${idOf(2)}`,
    ]);
    scheduler.block(W1);
    expect(told(3).at(-1)).toMatch(/^worker_blocked: worker worker\.w1 is blocked/);
    expect(told(1).at(-1)).toMatch(/^worker_blocked: /);
  });

  test("names the labels that no worker has, and its time limits", () => {
    hear();
    const deadlineMs = log.nowMs + 60_000;
    log.submit([submission(1, [], { labels: ["gpu"], queueTimeoutMs: 30_000, deadlineMs })]);
    log.tick();
    ready(1);
    expect(told(1)).toEqual([
      'no_worker: no live worker with the task "t1" has the labels gpu',
      expect.stringMatching(/^time_limit: if nobody begins it, it times out in 30 s, at /),
      `time_limit: its deadline is ${new Date(deadlineMs).toISOString()}`,
    ]);
  });

  test("that lost workers says which, and that it runs alone", () => {
    hear();
    log.submit([submission(1), submission(2)]);
    ready(2);
    log.lose(1);
    log.lose(1);
    ready(1);
    const texts = told(1);
    expect(texts[0]).toMatch(/^runs_alone: it waits for a worker of its own: 2 workers were lost/);
    expect(texts.at(-1)).toMatch(
      new RegExp(`^workers_lost: workers were lost while they had it: ${WORKER} at 20`),
    );
  });

  test("under a new leader waits for what the workers say", () => {
    log.submit([submission(1)]);
    scheduler.takeOver(log.ledger.live);
    expect(told(1)[0]).toMatch(/^held_back: /);
  });
});

test("a task that backs off says how its try ended, and when the next is due", () => {
  log.submit([submission(1, [], { retry: RETRY })]);
  log.finish([
    {
      id: idOf(1),
      outcome: "failed",
      failure: { errorName: "BusyError", nonRetryable: false, retryAfterMs: null },
    },
  ]);
  expect(told(1)).toEqual(["backing_off: try 1 ended with BusyError; the next is due soon"]);
  log.tick();
  expect(told(1)[0]).toMatch(/^backing_off: try 1 ended with BusyError; the next is due in 30 s, at 20/);
});

test("a task that is being cancelled says since when, why, and who was told", () => {
  hear();
  log.submit([submission(1), submission(2)]);
  ready(1);
  log.cancel([1, 2], "enough");
  const since = new Date(log.ledger.clock.nowMs).toISOString();
  expect(told(1)).toEqual([
    `cancelling: it is being cancelled since ${since} (enough); worker worker.w1 has been told`,
  ]);
  expect(told(2)[0]).toContain("no worker is known to hold it");
});

test("a task that has settled says why, and an unknown one nothing", () => {
  log.submit([submission(1, [], { timeoutMs: 1_000 }), submission(2), submission(3)]);
  log.expire(1);
  log.fail(2);
  log.cancel([3], "enough");
  log.finish([{ id: idOf(3), outcome: "terminated" }]);
  const why = (id: number): string | undefined => {
    const task = log.ledger.settled.get(idOf(id));
    return task === undefined ? undefined : because(task, log.ledger, scheduler);
  };
  expect(factsOf(1)).toEqual([
    { id: idOf(1), name: "t1", type: "settled", text: "it ran for longer than its time-out of 1 s" },
  ]);
  expect([why(2), why(3)]).toEqual(["a worker recorded it as failed", "it was cancelled by force: enough"]);
  expect(explain(idOf(9), log.ledger, scheduler)).toBeNull();
});
