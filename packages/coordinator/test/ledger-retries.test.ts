/** Another try: when there is one, when it comes, and what is told when there is none. */
import { type FinishFailure, type RetryPolicy, type SubmissionOptions, TaskId } from "@weft/protocol";
import fc from "fast-check";
import { beforeEach, describe, expect, test } from "vitest";
import { backoffMs, retryDelayMs } from "../src/core/ledger/retry.ts";
import { idOf, submission, TestLog, typesOf, WORKER } from "./test-log.ts";

const POLICY: RetryPolicy = {
  strategy: "fixed",
  maximumAttempts: 3,
  initialIntervalMs: 5_000,
  backoffCoefficient: 2,
  maximumIntervalMs: 60_000,
  jitterPermille: 0,
  nonRetryable: ["TypeError"],
};
const FAILURE: FinishFailure = { errorName: "Error", nonRetryable: false, retryAfterMs: null };

let log: TestLog;
beforeEach(() => {
  log = new TestLog();
  log.elect();
});

const submit = (options: Partial<SubmissionOptions> = { retry: POLICY }): void =>
  void log.submit([submission(1, [], options)]);
const failAs = (failure: Partial<FinishFailure> = {}): void =>
  void log.finish([{ id: idOf(1), outcome: "failed", failure: { ...FAILURE, ...failure } }]);
/** The wait begins with the first control record, and is over so much later. */
const pass = (ms: number): void => {
  log.tick();
  log.tick(ms);
};
const live = () => log.ledger.live.get(idOf(1));

describe("a task with a retry policy", () => {
  test("that fails backs off, and is released for its next attempt when the wait is over", () => {
    submit();
    failAs({ errorName: "Busy" });
    expect(live()).toMatchObject({ state: "backing_off", attempt: 2, tries: 1, lastError: "Busy" });
    log.tick();
    log.tick(4_999);
    expect(log.outcomeOf(1)).toBe("backing_off");
    expect(typesOf(log.tick(1))).toEqual([]);
    expect(log.outcomeOf(1)).toBe("released");
    log.succeed(1);
    expect(log.ledger.settled.get(idOf(1))).toMatchObject({ outcome: "succeeded", attempt: 2, tries: 2 });
  });

  test("settles with its last failure once its tries are used up, and fails what waits for it only then", () => {
    submit();
    log.submit([submission(2, [1])]);
    for (let tries = 1; tries < 3; tries++) {
      failAs();
      expect(log.outcomeOf(2)).toBe("waiting");
      pass(5_000);
      expect(log.outcomeOf(1)).toBe("released");
    }
    const last = log.ledger.seq + 1;
    failAs();
    expect(log.ledger.settled.get(idOf(1))).toMatchObject({
      outcome: "failed",
      tries: 3,
      finish: { seq: last, index: 0 },
      verdict: null,
    });
    expect(log.outcomeOf(2)).toBe("failed");
  });

  test.each<[string, Partial<FinishFailure>]>([
    ["of a name that the policy excludes", { errorName: "TypeError" }],
    ["that says so itself", { nonRetryable: true }],
  ])("is not tried again after an error %s", (_, failure) => {
    submit();
    failAs(failure);
    expect(log.ledger.settled.get(idOf(1))).toMatchObject({ outcome: "failed", tries: 1 });
  });

  test("waits for as long as its error says, instead of what the policy says", () => {
    submit();
    failAs({ retryAfterMs: 20_000 });
    log.tick();
    log.tick(19_999);
    expect(log.outcomeOf(1)).toBe("backing_off");
    log.tick(1);
    expect(log.outcomeOf(1)).toBe("released");
  });

  test("is released at once where there is nothing to wait for", () => {
    submit({ retry: { ...POLICY, initialIntervalMs: 0 } });
    failAs();
    expect(live()).toMatchObject({ state: "released", attempt: 2 });
  });

  test("is tried again when it ran out of time, and times out in the end", () => {
    submit({ retry: { ...POLICY, maximumAttempts: 2 }, timeoutMs: 1_000 });
    log.finish([{ id: idOf(1), outcome: "timed_out", value: null }]);
    pass(5_000);
    log.expire(1);
    expect(log.ledger.settled.get(idOf(1))).toMatchObject({
      outcome: "timed_out",
      tries: 2,
      verdict: { type: "timed_out", limit: "run", ms: 1_000 },
    });
  });

  test("counts only tries whose code began: what was returned or lost before is none", () => {
    submit();
    log.finish([{ id: idOf(1), outcome: "returned", started: false }]);
    log.lose(1, { started: false, lostWorker: null });
    log.lose(1, { started: false });
    expect(live()).toMatchObject({ state: "released", attempt: 4, tries: 0 });
    failAs();
    expect(live()).toMatchObject({ state: "backing_off", tries: 1 });
  });

  test("that was lost with its worker backs off like one that failed, and is tried again even past its tries", () => {
    submit({ retry: { ...POLICY, maximumAttempts: 1 } });
    log.lose(1);
    expect(live()).toMatchObject({ state: "backing_off", tries: 1, losses: [{ worker: WORKER }] });
    log.tick(5_000);
    expect(log.outcomeOf(1)).toBe("released");
  });

  test("has nothing of an earlier attempt counted, whenever it comes", () => {
    submit();
    failAs();
    const late = log.finish([{ id: idOf(1), outcome: "succeeded", attempt: 1 }]);
    expect(typesOf(late)).toEqual(["void: finish of an attempt that is not current"]);
    expect(typesOf(log.finish([{ id: idOf(1), outcome: "succeeded", attempt: 2 }]))).toEqual([
      "void: finish of an attempt that is not current",
    ]);
    expect(typesOf(log.lose(1))).toEqual(["void: loss of an attempt that is not current"]);
    expect(typesOf(log.expire(1))).toEqual(["void: expiry of an attempt that is not current"]);
    log.tick(5_000);
    expect(typesOf(log.finish([{ id: idOf(1), outcome: "succeeded", attempt: 1 }]))).toEqual([
      "void: finish of an attempt that is not current",
    ]);
    expect(log.outcomeOf(1)).toBe("released");
  });

  test("that is cancelled while it backs off ends at once, between two attempts", () => {
    submit();
    failAs();
    log.cancel([1], "enough");
    expect(log.ledger.settled.get(idOf(1))?.verdict).toMatchObject({
      type: "cancelled",
      reason: "enough",
      stopped: "between_attempts",
    });
    expect(typesOf(log.tick(60_000))).toEqual([]);
  });

  test("that fails while somebody wants it stopped is not tried again", () => {
    submit();
    log.cancel([1]);
    failAs();
    expect(log.outcomeOf(1)).toBe("failed");
  });

  test("begins its wait with the next control record, so that a pause without a leader costs it nothing", () => {
    submit();
    failAs();
    log.nowMs += 3_600_000;
    log.elect();
    expect(log.outcomeOf(1)).toBe("backing_off");
    log.tick(5_000);
    expect(log.outcomeOf(1)).toBe("released");
  });
});

test("a task without a policy that fails has failed", () => {
  submit({});
  failAs();
  expect(log.ledger.settled.get(idOf(1))).toMatchObject({ outcome: "failed", tries: 1 });
});

describe("the wait between tries", () => {
  const ended = (tries: number, attempt = tries) => ({ id: idOf(1), tries, attempt });
  const waits = (policy: Partial<RetryPolicy>, count = 6): number[] =>
    Array.from({ length: count }, (_, at) => backoffMs({ ...POLICY, ...policy }, ended(at + 1)));

  test("grows as its strategy says, up to its maximum", () => {
    expect(waits({ strategy: "fixed" })).toEqual([5, 5, 5, 5, 5, 5].map((s) => s * 1_000));
    expect(waits({ strategy: "linear", maximumIntervalMs: 22_000 })).toEqual(
      [5, 10, 15, 20, 22, 22].map((s) => s * 1_000),
    );
    expect(waits({ strategy: "exponential" })).toEqual([5, 10, 20, 40, 60, 60].map((s) => s * 1_000));
    expect(waits({ strategy: "exponential", backoffCoefficient: 1.5, initialIntervalMs: 7 })).toEqual([
      7, 10, 15, 22, 33, 49,
    ]);
  });

  const policy: fc.Arbitrary<RetryPolicy> = fc.record({
    strategy: fc.constantFrom("fixed", "linear", "exponential"),
    maximumAttempts: fc.integer({ min: 1, max: 10_000 }),
    initialIntervalMs: fc.nat({ max: 100_000 }),
    backoffCoefficient: fc.double({ min: 1, max: 100, noNaN: true }),
    maximumIntervalMs: fc.nat({ max: 10_000_000 }),
    jitterPermille: fc.nat({ max: 1_000 }),
    nonRetryable: fc.constant([]),
  });

  test("is a whole number, at most its maximum, never shorter than its jitter allows, and the same each time", () => {
    fc.assert(
      fc.property(policy, fc.integer({ min: 1, max: 10_000 }), fc.nat({ max: 1_000 }), (each, tries, at) => {
        const of = { id: idOf(at), tries, attempt: tries + at };
        const waitMs = backoffMs(each, of);
        const fullMs = backoffMs({ ...each, jitterPermille: 0 }, of);
        expect(Number.isSafeInteger(waitMs)).toBe(true);
        expect(fullMs).toBeLessThanOrEqual(each.maximumIntervalMs);
        expect(waitMs).toBeLessThanOrEqual(fullMs);
        expect(waitMs).toBeGreaterThanOrEqual(Math.floor(fullMs * (1 - each.jitterPermille / 1_000)));
        expect(backoffMs(each, of)).toBe(waitMs);
      }),
      { numRuns: 1_000 },
    );
  });

  test("of tasks that failed together spreads over the whole of the jitter", () => {
    const spread = { ...POLICY, initialIntervalMs: 1_000, jitterPermille: 1_000 };
    const drawn = Array.from({ length: 1_000 }, (_, at) =>
      backoffMs(spread, { id: TaskId.create(0, at), tries: 1, attempt: 1 }),
    );
    const tenths = new Set(drawn.map((ms) => Math.min(9, Math.floor(ms / 100))));
    expect(tenths.size).toBe(10);
    expect(
      new Set(Array.from({ length: 20 }, (_, at) => backoffMs(spread, ended(1, at)))).size,
    ).toBeGreaterThan(10);
  });

  test("is none after the last try", () => {
    expect(retryDelayMs(POLICY, ended(2), FAILURE)).toBe(5_000);
    expect(retryDelayMs(POLICY, ended(3), FAILURE)).toBeNull();
    expect(retryDelayMs(POLICY, ended(3), { ...FAILURE, retryAfterMs: 1 })).toBeNull();
  });
});
