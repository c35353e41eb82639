/** Ids, records and parts of messages, whatever the wire contract allows. */
import {
  CARRIED_PARTS,
  type ControlEvent,
  DURATION_MAX_MS,
  EXPIRED_LIMITS,
  EXPIRIES,
  FINISH_OUTCOMES,
  type Identity,
  type InstanceId,
  LIVE_STATES,
  type LogRecord,
  type Nonce,
  OUTCOMES,
  RETRY_STRATEGIES,
  type Reason,
  type RetryPolicy,
  type Sender,
  type SettledTask,
  STOPPED,
  type StateAnswer,
  type Submission,
  type TaskId,
  type TaskName,
  TIME_LIMITS,
} from "@weft/protocol";
import fc from "fast-check";

const DIGITS = [..."0123456789"];
const LOWER = [...DIGITS, ..."abcdefghijklmnopqrstuvwxyz"];
const TOKEN = [...LOWER, ..."ABCDEFGHIJKLMNOPQRSTUVWXYZ_-"];

const textOf = (letters: readonly string[], minLength: number, maxLength: number): fc.Arbitrary<string> =>
  fc.array(fc.constantFrom(...letters), { minLength, maxLength }).map((drawn) => drawn.join(""));

export const token: fc.Arbitrary<string> = textOf(TOKEN, 1, 64);
const instance: fc.Arbitrary<InstanceId> = token as fc.Arbitrary<InstanceId>;
export const identity: fc.Arbitrary<Identity> = token as fc.Arbitrary<Identity>;
export const sender: fc.Arbitrary<Sender> = fc.tuple(token, token).map((two) => two.join(".") as Sender);
export const taskName: fc.Arbitrary<TaskName> = textOf([...LOWER, "_", "-"], 1, 64) as fc.Arbitrary<TaskName>;
export const taskId: fc.Arbitrary<TaskId> = fc
  .tuple(fc.nat({ max: 63 }), textOf(LOWER, 4, 4), textOf(TOKEN, 16, 16))
  .map(([partition, hour, rest]) => `${String(partition).padStart(2, "0")}${hour}${rest}` as TaskId);

export const count: fc.Arbitrary<number> = fc.maxSafeNat();
export const bytes: fc.Arbitrary<Uint8Array> = fc.uint8Array({ maxLength: 40 });
/** Text that UTF-8 can carry: of anything at all, but no half of a surrogate pair. */
export const text: fc.Arbitrary<string> = fc.string({ unit: "binary", maxLength: 100 });
export const orNull = <T>(some: fc.Arbitrary<T>): fc.Arbitrary<T | null> => fc.option(some, { nil: null });
export const few = <T>(some: fc.Arbitrary<T>): fc.Arbitrary<T[]> => fc.array(some, { maxLength: 4 });

export const attemptRef: fc.Arbitrary<{ id: TaskId; attempt: number }> = fc.record({
  id: taskId,
  attempt: count,
});
const traceparent = orNull(textOf(TOKEN, 0, 64));

const duration = fc.nat({ max: DURATION_MAX_MS });
const timeout = orNull(fc.integer({ min: 1, max: DURATION_MAX_MS }));

const retry: fc.Arbitrary<RetryPolicy> = fc.record({
  strategy: fc.constantFrom(...RETRY_STRATEGIES),
  maximumAttempts: fc.integer({ min: 1, max: 10_000 }),
  initialIntervalMs: duration,
  backoffCoefficient: fc.double({ min: 1, max: 100, noNaN: true }),
  maximumIntervalMs: duration,
  jitterPermille: fc.nat({ max: 1_000 }),
  nonRetryable: few(textOf(TOKEN, 0, 64)),
});

const submission: fc.Arbitrary<Submission> = fc.record({
  id: taskId,
  name: taskName,
  args: bytes,
  dependsOn: few(taskId),
  options: orNull(
    fc.record({
      priority: fc.maxSafeInteger(),
      labels: few(token),
      parent: orNull(attemptRef),
      traceparent,
      retry: orNull(retry),
      timeoutMs: timeout,
      queueTimeoutMs: timeout,
      deadlineMs: orNull(count),
      dependencyTimeoutMs: duration,
      keepResult: fc.boolean(),
    }),
  ),
});

const controlEvent: fc.Arbitrary<ControlEvent> = fc.oneof(
  fc.record({ type: fc.constant("elected" as const), nonce: token as fc.Arbitrary<Nonce> }),
  fc.constantFrom({ type: "resigned" } as const, { type: "tick", mark: null } as const),
  fc.record({
    type: fc.constant("tick" as const),
    mark: fc.record({
      seq: count,
      high: fc.nat({ max: 0xffff_ffff }),
      low: fc.nat({ max: 0xffff_ffff }),
    }),
  }),
  fc.record({ type: fc.constant("fold_version" as const), version: count }),
  fc.record({
    type: fc.constant("settings" as const),
    settings: fc.record({
      retentionMs: count,
      retentionMinMs: count,
      settledTasksMax: count,
      resultBytesMax: count,
      logBytesMax: count,
    }),
  }),
  fc.record({
    type: fc.constant("lost" as const),
    attempts: few(
      fc.record({ id: taskId, attempt: count, started: fc.boolean(), lostWorker: orNull(sender) }),
    ),
  }),
  fc.record({
    type: fc.constant("expired" as const),
    attempts: few(fc.record({ id: taskId, attempt: count, limit: fc.constantFrom(...EXPIRED_LIMITS) })),
  }),
  fc.record({
    type: fc.constant("carry" as const),
    carried: few(
      fc.record({
        part: fc.constantFrom(...CARRIED_PARTS),
        id: taskId,
        seq: count,
        index: fc.nat({ max: 9_999 }),
        value: orNull(bytes),
      }),
    ),
  }),
);

/** Every type of record. */
export const record: fc.Arbitrary<LogRecord> = fc.oneof(
  fc.record({ type: fc.constant("submit" as const), instance, number: count, tasks: few(submission) }),
  fc.record({
    type: fc.constant("cancel" as const),
    instance,
    number: count,
    cancels: few(fc.record({ id: taskId, reason: orNull(text), dependents: fc.boolean() })),
  }),
  fc.record({ type: fc.constant("received" as const), instance, number: count, ids: few(taskId) }),
  fc.record({
    type: fc.constant("finish" as const),
    instance,
    number: count,
    finishes: few(
      fc.record({
        id: taskId,
        attempt: count,
        outcome: fc.constantFrom(...FINISH_OUTCOMES),
        started: fc.boolean(),
        progress: orNull(bytes),
        value: orNull(bytes),
        failure: orNull(
          fc.record({
            errorName: textOf(TOKEN, 0, 64),
            nonRetryable: fc.boolean(),
            retryAfterMs: orNull(duration),
          }),
        ),
      }),
    ),
  }),
  fc.record({
    type: fc.constant("control" as const),
    instance,
    number: count,
    epoch: count,
    wallMs: count,
    foldVersion: count,
    event: controlEvent,
  }),
);

const rootReason: fc.Arbitrary<Reason> = fc.oneof(
  fc.record({ type: fc.constant("unknown_dependency" as const), dependency: taskId }),
  fc.record({ type: fc.constant("result_expired" as const), task: taskId }),
  fc.record({ type: fc.constant("log_full" as const) }),
  fc.record({ type: fc.constant("cycle" as const), path: few(taskId) }),
  fc.record({ type: fc.constant("parent_gone" as const), parent: taskId, attempt: count }),
  fc.record({
    type: fc.constant("workers_lost" as const),
    losses: few(fc.record({ worker: sender, atMs: count })),
  }),
  fc.record({
    type: fc.constant("cancelled" as const),
    reason: orNull(text),
    stopped: fc.constantFrom(...STOPPED),
    children: count,
    dependents: count,
  }),
  fc.record({
    type: fc.constant("timed_out" as const),
    limit: fc.constantFrom(...TIME_LIMITS),
    ms: count,
  }),
);

const reason: fc.Arbitrary<Reason> = fc.oneof(
  rootReason,
  fc.record({
    type: fc.constant("dependency_failed" as const),
    chain: few(
      fc.record({
        id: taskId,
        name: taskName,
        outcome: fc.constantFrom(...OUTCOMES),
        attempt: count,
        tries: count,
      }),
    ),
    omitted: count,
    root: orNull(rootReason),
  }),
);

export const settledTask: fc.Arbitrary<SettledTask> = fc.record({
  id: taskId,
  name: taskName,
  outcome: fc.constantFrom(...OUTCOMES),
  attempt: count,
  tries: count,
  progress: orNull(bytes),
  value: orNull(bytes),
  fetch: fc.boolean(),
  reason: orNull(reason),
});

export const stateAnswer: fc.Arbitrary<StateAnswer> = fc.oneof(
  fc.record({ type: fc.constant("unknown" as const), id: taskId, expired: fc.constantFrom(...EXPIRIES) }),
  fc.record({
    type: fc.constant("live" as const),
    id: taskId,
    state: fc.constantFrom(...LIVE_STATES),
    attempt: count,
  }),
  fc.record({ type: fc.constant("settled" as const), task: settledTask }),
);
