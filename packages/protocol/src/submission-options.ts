/** What a submitter asks for beyond the task itself, and how it travels: a map that leaves out what is as usual. */
import { isToken, TaskId } from "./ids.ts";
import {
  DURATION_MAX_MS,
  LABELS_MAX,
  RETRY_ATTEMPTS_MAX,
  RETRY_COEFFICIENT_MAX,
  RETRY_NAMES_MAX,
  TOKEN_LENGTH_MAX,
} from "./limits.ts";
import {
  count,
  fields,
  flag,
  guarded,
  integer,
  list,
  mismatch,
  oneOf,
  text,
  textOrNull,
} from "./wire-reader.ts";

export const RETRY_STRATEGIES = ["fixed", "linear", "exponential"] as const;

/** When the code of a task is run again after it threw or ran out of time. */
export type RetryPolicy = {
  /** How the wait grows from one try to the next: not at all, by the first wait each time, or by a factor. */
  readonly strategy: (typeof RETRY_STRATEGIES)[number];
  /** Tries in all, the first included. */
  readonly maximumAttempts: number;
  readonly initialIntervalMs: number;
  /** The factor of `exponential`. */
  readonly backoffCoefficient: number;
  readonly maximumIntervalMs: number;
  /** By how many thousandths a wait may be shorter, so that what failed together does not come back together. */
  readonly jitterPermille: number;
  /** Names of errors after which another try would be of no use. */
  readonly nonRetryable: readonly string[];
};

/** The attempt that submitted a child; the child is void once that attempt is not current. */
export type Parent = { readonly id: TaskId; readonly attempt: number };

export type SubmissionOptions = {
  /** Higher runs first. */
  readonly priority: number;
  /** A worker must carry all of them. */
  readonly labels: readonly string[];
  readonly parent: Parent | null;
  /** W3C trace context of the submitter. */
  readonly traceparent: string | null;
  /** Null: code that fails has failed. */
  readonly retry: RetryPolicy | null;
  /** How long one run may take. */
  readonly timeoutMs: number | null;
  /** How long it may take from released to begun. */
  readonly queueTimeoutMs: number | null;
  /** The moment by which the task must have ended. */
  readonly deadlineMs: number | null;
  /** How long it may wait for its dependencies; 0 for however long. */
  readonly dependencyTimeoutMs: number;
  /** False: the value may go once it was received. */
  readonly keepResult: boolean;
};

/** A dependency that never settles would keep all that wait for it for ever. */
export const DEPENDENCY_TIMEOUT_DEFAULT_MS = 600_000;

export const DEFAULT_OPTIONS: SubmissionOptions = Object.freeze({
  priority: 0,
  labels: [],
  parent: null,
  traceparent: null,
  retry: null,
  timeoutMs: null,
  queueTimeoutMs: null,
  deadlineMs: null,
  dependencyTimeoutMs: DEPENDENCY_TIMEOUT_DEFAULT_MS,
  keepResult: true,
});

export function optionsToWire(options: SubmissionOptions): Record<string, unknown> {
  const { priority, labels, parent, traceparent, retry, dependencyTimeoutMs, keepResult } = options;
  const wire: Record<string, unknown> = {};
  if (priority !== 0) wire.priority = priority;
  if (labels.length > 0) wire.labels = labels;
  if (parent !== null) wire.parent = [parent.id, parent.attempt];
  if (traceparent !== null) wire.traceparent = traceparent;
  if (retry !== null) wire.retry = retryToWire(retry);
  if (options.timeoutMs !== null) wire.timeoutMs = options.timeoutMs;
  if (options.queueTimeoutMs !== null) wire.queueTimeoutMs = options.queueTimeoutMs;
  if (options.deadlineMs !== null) wire.deadlineMs = options.deadlineMs;
  if (dependencyTimeoutMs !== DEPENDENCY_TIMEOUT_DEFAULT_MS) wire.dependencyTimeoutMs = dependencyTimeoutMs;
  if (!keepResult) wire.keepResult = false;
  return wire;
}

function retryToWire(retry: RetryPolicy): unknown[] {
  return [
    retry.strategy,
    retry.maximumAttempts,
    retry.initialIntervalMs,
    retry.backoffCoefficient,
    retry.maximumIntervalMs,
    retry.jitterPermille,
    retry.nonRetryable,
  ];
}

const KNOWN: ReadonlySet<string> = new Set(Object.keys(DEFAULT_OPTIONS));

export function readOptions(value: unknown): SubmissionOptions {
  const wire = fields(value, "options");
  for (const key of Object.keys(wire)) if (!KNOWN.has(key)) mismatch("an option is unknown");
  const { priority, labels, parent, traceparent, retry, deadlineMs, dependencyTimeoutMs, keepResult } = wire;
  return {
    priority: priority === undefined ? 0 : integer(priority, "priority"),
    labels: readLabels(labels ?? []),
    parent: parent === undefined ? null : readParent(list(parent, "parent")),
    traceparent: textOrNull(traceparent ?? null, "traceparent", 64),
    retry: retry === undefined ? null : readRetry(list(retry, "retry")),
    timeoutMs: durationOrNull(wire.timeoutMs, "time-out"),
    queueTimeoutMs: durationOrNull(wire.queueTimeoutMs, "queue time-out"),
    deadlineMs: deadlineMs === undefined ? null : count(deadlineMs, "deadline"),
    dependencyTimeoutMs:
      dependencyTimeoutMs === undefined
        ? DEPENDENCY_TIMEOUT_DEFAULT_MS
        : count(dependencyTimeoutMs, "dependency time-out", DURATION_MAX_MS),
    keepResult: keepResult === undefined ? true : flag(keepResult, "keepResult"),
  };
}

export function readLabels(value: unknown): string[] {
  return list(value, "labels", LABELS_MAX).map((label) => guarded<string>(label, "label", isToken));
}

function readParent(wire: unknown[]): Parent {
  return {
    id: guarded<TaskId>(wire[0], "task id", TaskId.is),
    attempt: count(wire[1], "parent attempt"),
  };
}

function readRetry(wire: unknown[]): RetryPolicy {
  const coefficient = wire[3];
  if (typeof coefficient !== "number" || !(coefficient >= 1 && coefficient <= RETRY_COEFFICIENT_MAX))
    mismatch("backoff coefficient is out of range");
  const maximumAttempts = count(wire[1], "maximum attempts", RETRY_ATTEMPTS_MAX);
  if (maximumAttempts === 0) mismatch("maximum attempts is no number of tries");
  return {
    strategy: oneOf(wire[0], "retry strategy", RETRY_STRATEGIES),
    maximumAttempts,
    initialIntervalMs: count(wire[2], "initial interval", DURATION_MAX_MS),
    backoffCoefficient: coefficient,
    maximumIntervalMs: count(wire[4], "maximum interval", DURATION_MAX_MS),
    jitterPermille: count(wire[5], "jitter", 1_000),
    nonRetryable: list(wire[6], "names of errors", RETRY_NAMES_MAX).map((name) =>
      text(name, "name of an error", TOKEN_LENGTH_MAX),
    ),
  };
}

/** A wait of no time at all would be over before it began. */
function durationOrNull(value: unknown, what: string): number | null {
  if (value === undefined) return null;
  const ms = count(value, what, DURATION_MAX_MS);
  return ms > 0 ? ms : mismatch(`${what} is no time at all`);
}
