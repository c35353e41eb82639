/** From what a user writes to what travels. */
import { DEFAULT_OPTIONS, type SubmissionOptions, TaskId, UsageError } from "@weft/protocol";
import { describe, expect, test } from "vitest";
import { optionsOf, type RetryOptions, type SubmitOptions } from "../src/submit-options.ts";

const NOW_MS = 1_700_000_000_000;
const made = (options: SubmitOptions): SubmissionOptions =>
  optionsOf("x", options, () => NOW_MS) ?? DEFAULT_OPTIONS;
const retry = (options: RetryOptions) => made({ retry: options }).retry;

describe("time limits", () => {
  test("are durations, or milliseconds", () => {
    expect(made({ timeout: "1.5m", queueTimeout: 250, dependencyTimeout: "1h" })).toMatchObject({
      timeoutMs: 90_000,
      queueTimeoutMs: 250,
      dependencyTimeoutMs: 3_600_000,
    });
  });

  test("for dependencies are ten minutes, and can be switched off", () => {
    expect(made({}).dependencyTimeoutMs).toBe(600_000);
    for (const dependencyTimeout of ["off", 0, "0s"])
      expect(made({ dependencyTimeout }).dependencyTimeoutMs).toBe(0);
    expect(optionsOf("x", { dependencyTimeout: "10m" }, () => NOW_MS)).toBeNull();
  });

  test("as a deadline are a moment, or how long from now", () => {
    expect(made({ deadline: new Date(NOW_MS + 5) }).deadlineMs).toBe(NOW_MS + 5);
    expect(made({ deadline: "10m" }).deadlineMs).toBe(NOW_MS + 600_000);
  });

  test.each<[string, SubmitOptions]>([
    ["no time at all to run", { timeout: 0 }],
    ["no time at all to be begun", { queueTimeout: "0ms" }],
    ["what is no duration", { timeout: "soon" }],
    ["more than a timer takes", { timeout: "25d" }],
    ["a deadline that may be a moment or a duration", { deadline: 5_000 as never }],
    ["a deadline that is no moment", { deadline: new Date(Number.NaN) }],
    ["a deadline that is none", { deadline: null as never }],
  ])("that are %s are refused", (_, options) => expect(() => made(options)).toThrow(UsageError));
});

describe("a retry policy", () => {
  test("is exponential from a second on, three tries in all, unless it says otherwise", () => {
    expect(retry({})).toEqual({
      strategy: "exponential",
      maximumAttempts: 3,
      initialIntervalMs: 1_000,
      backoffCoefficient: 2,
      maximumIntervalMs: 100_000,
      jitterPermille: 200,
      nonRetryable: [],
    });
    expect(retry({ strategy: "fixed" })?.jitterPermille).toBe(0);
    expect(
      retry({
        strategy: "linear",
        maximumAttempts: 7,
        initialInterval: "2s",
        backoffCoefficient: 3,
        maximumInterval: "1m",
        jitter: 0.5,
        nonRetryableErrors: ["TypeError"],
      }),
    ).toEqual({
      strategy: "linear",
      maximumAttempts: 7,
      initialIntervalMs: 2_000,
      backoffCoefficient: 3,
      maximumIntervalMs: 60_000,
      jitterPermille: 500,
      nonRetryable: ["TypeError"],
    });
  });

  test.each<[string, unknown]>([
    ["no options", 3],
    ["null", null],
    ["an option that is not there", { retries: 3 }],
    ["a strategy that is not there", { strategy: "quadratic" }],
    ["no try at all", { maximumAttempts: 0 }],
    ["endless tries", { maximumAttempts: Number.POSITIVE_INFINITY }],
    ["half a try", { maximumAttempts: 1.5 }],
    ["a factor that shrinks", { backoffCoefficient: 0.5 }],
    ["a factor that is none", { backoffCoefficient: "2" }],
    ["a wait that is none", { initialInterval: "a while" }],
    ["jitter that is none", { jitter: "0.1" }],
    ["jitter of more than all", { jitter: 1.1 }],
    ["names that are none", { nonRetryableErrors: [7] }],
    ["a name instead of names", { nonRetryableErrors: "TypeError" }],
    ["too many names", { nonRetryableErrors: Array(65).fill("E") }],
  ])("of %s is refused", (_, options) => expect(() => retry(options as RetryOptions)).toThrow(UsageError));
});

describe("a parent", () => {
  const id = TaskId.create(0, NOW_MS);
  test("is anything with a task's id and attempt, of which no more is taken", () => {
    const ctx = { id, attempt: 2, name: "parent", deps: [] };
    expect(made({ parent: ctx }).parent).toEqual({ id, attempt: 2 });
  });

  test.each<[unknown]>([
    [null],
    [id],
    [{ id }],
    [{ id, attempt: 0 }],
    [{ id: "x", attempt: 1 }],
    [{ attempt: 1 }],
  ])("that is none is refused: %o", (parent) =>
    expect(() => made({ parent: parent as never })).toThrow(UsageError),
  );
});
