/** The options of a submission, from what a user writes to what travels: everything that is wrong with them is said here. */
import {
  DEFAULT_OPTIONS,
  DURATION_MAX_MS,
  type Duration,
  isToken,
  LABELS_MAX,
  type Parent,
  parseDuration,
  RETRY_ATTEMPTS_MAX,
  RETRY_COEFFICIENT_MAX,
  RETRY_NAMES_MAX,
  RETRY_STRATEGIES,
  type RetryPolicy,
  type SubmissionOptions,
  TaskId,
  TOKEN_LENGTH_MAX,
  UsageError,
} from "@weft/protocol";
import type { TaskHandle } from "./handle.ts";

/** When a task's code is run again after it threw or ran out of time. Only tries count whose code began. */
export type RetryOptions = {
  /** How the wait grows: not at all, by `initialInterval` each time, or by the factor `backoffCoefficient`. @default "exponential" */
  readonly strategy?: RetryPolicy["strategy"];
  /** Tries in all, the first included, from 1 to 10000. @default 3 */
  readonly maximumAttempts?: number;
  /** The wait after the first try. @default "1s" */
  readonly initialInterval?: Duration;
  /** From 1 to 100. @default 2 */
  readonly backoffCoefficient?: number;
  /** @default a hundred times `initialInterval` */
  readonly maximumInterval?: Duration;
  /** By how much a wait may be shorter, from 0 to 1, so that what failed together does not come back together. @default 0.2, or 0 where the wait does not grow by a factor */
  readonly jitter?: number;
  /** Names of errors after which there is no other try, such as "TypeError". */
  readonly nonRetryableErrors?: readonly string[];
};

export type SubmitOptions = {
  /** Tasks that must succeed first: handles, or ids of tasks that anybody submitted. Their results are `ctx.deps`, in this order. */
  readonly dependsOn?: readonly (TaskHandle | string)[];
  /** Among tasks that may run, higher ones run first. A whole number. @default 0 */
  readonly priority?: number;
  /** Only workers that have all of these labels run it. */
  readonly labels?: readonly string[];
  /** The task's id, from `client.createId()`: submitting one id twice runs it once. @default a new one */
  readonly id?: string;
  /** Runs its code again when that throws or times out. @default code that throws has failed */
  readonly retry?: RetryOptions;
  /** How long one run may take. @default however long */
  readonly timeout?: Duration;
  /** How long it may take until a worker begins it, from when it may run. @default however long */
  readonly queueTimeout?: Duration;
  /** When the task must have ended, with all its tries: a moment, or how long from now. @default never */
  readonly deadline?: Date | string;
  /** How long it may wait for its dependencies; "off" or 0 for however long. @default "10m" */
  readonly dependencyTimeout?: Duration;
  /**
   * Whether the result is kept once this client has it, for as long as settled tasks are. With `false` its bytes are given
   * back to the log then, or when the last task that depends on it has ended; whoever asks later gets `ResultExpiredError`.
   * @default true
   */
  readonly keepResult?: boolean;
  /** The task that submits this one, such as the `ctx` of its code: it is cancelled with it. */
  readonly parent?: Parent | { readonly id: string; readonly attempt: number };
};

const KNOWN: ReadonlySet<string> = new Set([
  "dependsOn",
  "priority",
  "labels",
  "id",
  "retry",
  "timeout",
  "queueTimeout",
  "deadline",
  "dependencyTimeout",
  "keepResult",
  "parent",
] satisfies (keyof SubmitOptions)[]);

const RETRY_KNOWN: ReadonlySet<string> = new Set([
  "strategy",
  "maximumAttempts",
  "initialInterval",
  "backoffCoefficient",
  "maximumInterval",
  "jitter",
  "nonRetryableErrors",
] satisfies (keyof RetryOptions)[]);

const ATTEMPTS_DEFAULT = 3;
const INITIAL_INTERVAL_DEFAULT_MS = 1_000;
const COEFFICIENT_DEFAULT = 2;
const MAXIMUM_INTERVAL_FACTOR = 100;
const JITTER_DEFAULT = 0.2;

/** Of a call without options, as most are. */
export const NO_OPTIONS: SubmitOptions = Object.freeze({});

/** Null where everything is as usual. */
export function optionsOf(
  task: string,
  options: SubmitOptions,
  wallMs: () => number,
): SubmissionOptions | null {
  if (options === NO_OPTIONS) return null;
  checkKeys(options, KNOWN, task);
  if (!tellsHowToRun(options)) return null;
  const made: SubmissionOptions = {
    priority: priorityOf(task, options.priority ?? 0),
    labels: labelsOf(task, options.labels),
    parent: parentOf(task, options.parent),
    traceparent: null,
    retry: options.retry === undefined ? null : retryOf(task, options.retry),
    timeoutMs: limitOf(task, "timeout", options.timeout),
    queueTimeoutMs: limitOf(task, "queueTimeout", options.queueTimeout),
    deadlineMs: deadlineOf(task, options.deadline, wallMs),
    dependencyTimeoutMs: dependencyTimeoutOf(task, options.dependencyTimeout),
    keepResult: keepResultOf(task, options.keepResult),
  };
  const isUsual = Object.entries(DEFAULT_OPTIONS).every(([key, usual]) => {
    const own = made[key as keyof SubmissionOptions];
    return own === usual || (Array.isArray(own) && own.length === 0);
  });
  return isUsual ? null : made;
}

/** Whether it says more than what a task is and waits for, as most calls in a graph do not. */
function tellsHowToRun(options: SubmitOptions): boolean {
  for (const key in options) if (key !== "dependsOn" && key !== "id") return true;
  return false;
}

function checkKeys(options: object, known: ReadonlySet<string>, task: string): void {
  if (typeof options !== "object" || options === null)
    throw new UsageError(`task "${task}": the options must be an object`);
  for (const key of Object.keys(options)) {
    if (!known.has(key))
      throw new UsageError(`task "${task}": there is no option "${key}" (known: ${[...known].join(", ")})`);
  }
}

/** A copy: what the caller does to the list later changes nothing of what is sent. */
export function listOf<T>(given: readonly T[] | undefined, what: string): readonly T[] {
  if (given !== undefined && !Array.isArray(given)) throw new UsageError(`${what} must be a list`);
  return [...(given ?? [])];
}

function priorityOf(task: string, priority: number): number {
  if (!Number.isSafeInteger(priority))
    throw new UsageError(`task "${task}": priority must be a whole number`);
  return priority;
}

function labelsOf(task: string, given: SubmitOptions["labels"]): readonly string[] {
  const labels = listOf(given, `task "${task}": labels`);
  if (labels.length > LABELS_MAX || !labels.every(isToken))
    throw new UsageError(`task "${task}": labels must be at most ${LABELS_MAX} words of A-Z a-z 0-9 _ -`);
  return labels;
}

function parentOf(task: string, parent: SubmitOptions["parent"]): Parent | null {
  if (parent === undefined) return null;
  const { id, attempt } = parent ?? {};
  if (!Number.isSafeInteger(attempt) || attempt < 1)
    throw new UsageError(`task "${task}": parent must be a task's context, or its { id, attempt }`);
  return { id: TaskId.parse(id), attempt };
}

/** A limit of no time at all would be over before anything began. */
function limitOf(task: string, option: string, given: Duration | undefined): number | null {
  if (given === undefined) return null;
  const ms = parseDuration(given, `task "${task}": ${option}`);
  if (ms < 1) throw new UsageError(`task "${task}": ${option} must be at least a millisecond`);
  return ms;
}

function dependencyTimeoutOf(task: string, given: Duration | undefined): number {
  if (given === undefined) return DEFAULT_OPTIONS.dependencyTimeoutMs;
  return given === "off" ? 0 : parseDuration(given, `task "${task}": dependencyTimeout`);
}

function keepResultOf(task: string, given: boolean | undefined): boolean {
  if (given !== undefined && typeof given !== "boolean")
    throw new UsageError(`task "${task}": keepResult must be true or false`);
  return given ?? DEFAULT_OPTIONS.keepResult;
}

/** A number would be read as a moment by some and as a duration by others. */
function deadlineOf(task: string, given: SubmitOptions["deadline"], wallMs: () => number): number | null {
  if (given === undefined) return null;
  if (typeof given === "string") return wallMs() + parseDuration(given, `task "${task}": deadline`);
  const ms = given instanceof Date ? given.getTime() : Number.NaN;
  if (!(ms >= 0))
    throw new UsageError(`task "${task}": deadline must be a Date, or how long from now, such as "10m"`);
  return ms;
}

function retryOf(task: string, retry: RetryOptions): RetryPolicy {
  checkKeys(retry, RETRY_KNOWN, `${task}": retry of "${task}`);
  const { strategy = "exponential", maximumAttempts = ATTEMPTS_DEFAULT } = retry;
  const what = `task "${task}": retry.`;
  if (!RETRY_STRATEGIES.includes(strategy))
    throw new UsageError(`${what}strategy must be one of ${RETRY_STRATEGIES.join(", ")}`);
  if (!(Number.isInteger(maximumAttempts) && maximumAttempts >= 1 && maximumAttempts <= RETRY_ATTEMPTS_MAX))
    throw new UsageError(`${what}maximumAttempts must be a whole number from 1 to ${RETRY_ATTEMPTS_MAX}`);
  const initialIntervalMs = parseDuration(
    retry.initialInterval ?? INITIAL_INTERVAL_DEFAULT_MS,
    `${what}initialInterval`,
  );
  const maximumIntervalMs = parseDuration(
    retry.maximumInterval ?? Math.min(DURATION_MAX_MS, MAXIMUM_INTERVAL_FACTOR * initialIntervalMs),
    `${what}maximumInterval`,
  );
  const {
    backoffCoefficient = COEFFICIENT_DEFAULT,
    jitter = strategy === "exponential" ? JITTER_DEFAULT : 0,
  } = retry;
  if (
    !(isNumber(backoffCoefficient) && backoffCoefficient >= 1 && backoffCoefficient <= RETRY_COEFFICIENT_MAX)
  )
    throw new UsageError(`${what}backoffCoefficient must be from 1 to ${RETRY_COEFFICIENT_MAX}`);
  if (!(isNumber(jitter) && jitter >= 0 && jitter <= 1))
    throw new UsageError(`${what}jitter must be from 0 to 1`);
  return {
    strategy,
    maximumAttempts,
    initialIntervalMs,
    backoffCoefficient,
    maximumIntervalMs,
    jitterPermille: Math.round(jitter * 1_000),
    nonRetryable: errorNamesOf(retry.nonRetryableErrors, `${what}nonRetryableErrors`),
  };
}

/** Users write JavaScript too: a text compares like the number in it. */
const isNumber = (value: unknown): boolean => typeof value === "number";

function errorNamesOf(given: RetryOptions["nonRetryableErrors"], what: string): readonly string[] {
  const names = listOf(given, what);
  const isName = (name: unknown): boolean =>
    typeof name === "string" && name !== "" && name.length <= TOKEN_LENGTH_MAX;
  if (names.length > RETRY_NAMES_MAX || !names.every(isName))
    throw new UsageError(`${what} must be at most ${RETRY_NAMES_MAX} names of errors, such as "TypeError"`);
  return names;
}
