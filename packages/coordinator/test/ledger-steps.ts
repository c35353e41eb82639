/** Whatever may come to a ledger, in whatever order. */
import type { RetryPolicy, SubmissionOptions, TaskId } from "@weft/protocol";
import fc from "fast-check";
import { isReleased } from "../src/core/ledger/task.ts";
import { idOf, submission, type TestLog, WORKER } from "./test-log.ts";

export const IDS = 12;
const id = fc.integer({ min: 0, max: IDS - 1 });

export type Step = (log: TestLog) => void;

const retry: fc.Arbitrary<RetryPolicy> = fc.record({
  strategy: fc.constantFrom("fixed", "linear", "exponential"),
  maximumAttempts: fc.integer({ min: 1, max: 4 }),
  initialIntervalMs: fc.constantFrom(0, 10, 5_000, 60_000),
  backoffCoefficient: fc.constantFrom(1, 1.5, 2),
  maximumIntervalMs: fc.constantFrom(5_000, 100_000),
  jitterPermille: fc.constantFrom(0, 200, 1_000),
  nonRetryable: fc.constantFrom([], ["TypeError"]),
});
const often = <T>(some: fc.Arbitrary<T>): fc.Arbitrary<T | null> => fc.option(some, { freq: 2, nil: null });
const seldom = <T>(some: fc.Arbitrary<T>): fc.Arbitrary<T | null> =>
  fc.oneof({ weight: 3, arbitrary: fc.constant(null) }, { weight: 1, arbitrary: some });
const limits = fc.record({
  retry: often(retry),
  timeoutMs: often(fc.constant(1_000)),
  queueTimeoutMs: often(fc.constantFrom(1, 5_000, 60_000)),
  dependencyTimeoutMs: fc.constantFrom(0, 3_000, 600_000),
  deadlineInMs: seldom(fc.integer({ min: -10, max: 200_000 })),
  priority: fc.constantFrom(0, 0, 7, -3),
  labels: fc.constantFrom([], [], ["gpu"], ["gpu", "eu"]),
  traceparent: seldom(fc.constantFrom("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")),
  keepResult: fc.boolean(),
});

const submit = fc
  .array(
    fc.record({
      id,
      dependsOn: fc.array(id, { maxLength: 3 }),
      parent: seldom(id),
      late: fc.integer({ min: 0, max: 1 }),
      limits,
    }),
    { minLength: 1, maxLength: 4 },
  )
  .map(
    (tasks): Step =>
      (log) =>
        void log.submit(
          tasks.map(({ id: which, dependsOn, parent, late, limits: { deadlineInMs, ...own } }) =>
            submission(which, dependsOn, {
              ...own,
              ...parentOf(log, parent, late),
              ...(deadlineInMs === null ? {} : { deadlineMs: log.nowMs + deadlineInMs }),
            }),
          ),
        ),
  );

/** A child of the parent's current attempt, or of the one before. */
function parentOf(log: TestLog, parent: number | null, late: number): Partial<SubmissionOptions> {
  if (parent === null) return {};
  const attempt = Math.max(1, (log.ledger.live.get(idOf(parent))?.attempt ?? 1) - late);
  return { parent: { id: idOf(parent), attempt } };
}

/** A task that is released, where there is one, as often as any task at all: most records are about such. */
function aimed(log: TestLog, which: number): TaskId {
  const released = [...log.ledger.live].filter(isReleased);
  return which % 2 === 0 ? (released[which % released.length]?.id ?? idOf(which)) : idOf(which);
}

const late = fc.oneof({ weight: 3, arbitrary: fc.constant(0) }, { weight: 1, arbitrary: fc.nat({ max: 2 }) });

const finish = fc
  .record({
    id,
    outcome: fc.constantFrom(
      "succeeded" as const,
      "failed" as const,
      "cancelled" as const,
      "terminated" as const,
      "timed_out" as const,
      "returned" as const,
    ),
    failure: fc.option(
      fc.record({
        errorName: fc.constantFrom("Error", "TypeError"),
        nonRetryable: fc.boolean(),
        retryAfterMs: fc.option(fc.nat({ max: 100_000 }), { nil: null }),
      }),
      { nil: null },
    ),
    started: fc.boolean(),
    late,
  })
  .map(
    ({ id: which, late: by, ...rest }): Step =>
      (log) => {
        const of = aimed(log, which);
        const current = log.ledger.live.get(of)?.attempt ?? 1;
        log.finish([{ id: of, attempt: Math.max(1, current - by), ...rest }]);
      },
  );

const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 4, arbitrary: submit },
  { weight: 6, arbitrary: finish },
  {
    weight: 1,
    arbitrary: fc.tuple(id, fc.boolean()).map(
      ([which, dependents]): Step =>
        (log) =>
          void log.cancel([which], ["enough", "genug \u{1f600} \ud800", null][which % 3], dependents),
    ),
  },
  {
    weight: 1,
    arbitrary: fc.record({ id, limit: fc.constantFrom("run" as const, "queue" as const), late }).map(
      ({ id: which, limit, late: by }): Step =>
        (log) => {
          const of = aimed(log, which);
          const current = log.ledger.live.get(of)?.attempt ?? 1;
          log.expire(which, { id: of, limit, attempt: Math.max(1, current - by) });
        },
    ),
  },
  {
    weight: 2,
    arbitrary: fc.record({ id, started: fc.boolean(), lostWorker: fc.constantFrom(WORKER, null) }).map(
      ({ id: which, ...lost }): Step =>
        (log) => {
          const of = aimed(log, which);
          log.lose(which, { id: of, attempt: log.ledger.live.get(of)?.attempt ?? 1, ...lost });
        },
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
  { weight: 1, arbitrary: fc.constant<Step>((log) => void log.control({ type: "tick", mark: null }, 1)) },
);

export const steps: fc.Arbitrary<Step[]> = fc.array(step, { maxLength: 80, size: "max" });

/** Settled tasks leave, after seconds: an id that comes again is then a task like any other. */
const retention: fc.Arbitrary<Step> = fc
  .record({
    retentionMs: fc.constantFrom(1_000, 10_000, 100_000),
    retentionMinMs: fc.constantFrom(0, 1_000, 5_000),
    settledTasksMax: fc.constantFrom(0, 1, 4),
    resultBytesMax: fc.constantFrom(0, 1, 4),
    logBytesMax: fc.constantFrom(0, 0, 600),
  })
  .map(
    (settings): Step =>
      (log) =>
        void log.settings(settings),
  );

/** What a leader carries of a record, and what one that is deposed, or late, would have. */
const carry: fc.Arbitrary<Step> = fc
  .record({
    back: fc.nat({ max: 60 }),
    change: fc.constantFrom({}, {}, {}, { seq: 1 }, { index: 1 }, { value: null }),
    isLate: fc.boolean(),
  })
  .map(
    ({ back, change, isLate }): Step =>
      (log) => {
        const seq = Math.max(1, log.entries.length - back);
        log.carry(seq, change);
        if (isLate) log.repeat();
      },
  );

const receive: fc.Arbitrary<Step> = fc.array(id, { minLength: 1, maxLength: 3 }).map(
  (ids): Step =>
    (log) =>
      void log.receive(...ids),
);

export const stepsWithRetention: fc.Arbitrary<Step[]> = fc
  .tuple(
    retention,
    fc.array(
      fc.oneof(
        { weight: 12, arbitrary: step },
        { weight: 1, arbitrary: retention },
        { weight: 2, arbitrary: carry },
        { weight: 2, arbitrary: receive },
      ),
      { maxLength: 80, size: "max" },
    ),
  )
  .map(([first, others]) => [first, ...others]);
