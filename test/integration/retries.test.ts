/** Retries on a real cluster: how often, when, and what is told in the end. */
import { TaskFailedError } from "@weft/client";
import { startTestCluster, type TestCluster, waitUntil } from "@weft/testing";
import { afterAll, beforeAll, expect, test } from "vitest";
import * as tasks from "../fixtures/policy-tasks.ts";
import { begun, triesOf } from "../fixtures/policy-tasks.ts";

let cluster: TestCluster;
beforeAll(async () => {
  cluster = await startTestCluster({ worker: { tasks, slots: 8 } });
});
afterAll(() => cluster.stop());

const gapsOf = (key: string): number[] =>
  (begun.get(key) ?? []).slice(1).map((atMs, at) => atMs - (begun.get(key)?.[at] ?? 0));

test("a task that fails is run again as its policy says, and its dependents see its success alone", async () => {
  const weft = await cluster.client();
  const retry = { maximumAttempts: 5, initialInterval: "50ms", jitter: 0 };
  const handle = weft.submit<number>("flaky", { key: "third", failures: 2 }, { retry });
  const after = weft.submit("flaky", { key: "after", failures: 0 }, { dependsOn: [handle] });
  expect(await handle.result()).toBe(3);
  expect(await handle.settled()).toMatchObject({ outcome: "succeeded", attempt: 3, tries: 3 });
  expect(await after.result()).toBe(1);
  const [first = 0, second = 0] = gapsOf("third");
  expect(first).toBeGreaterThanOrEqual(50);
  expect(second).toBeGreaterThanOrEqual(100);
});

test("a short backoff takes little longer than it says", async () => {
  const weft = await cluster.client();
  const retry = { strategy: "fixed", maximumAttempts: 5, initialInterval: 20 } as const;
  await weft.submit("flaky", { key: "short", failures: 4 }, { retry }).result();
  for (const gapMs of gapsOf("short")) expect(gapMs).toBeLessThan(1_000);
});

test("the last error is the outcome, with the number of tries", async () => {
  const weft = await cluster.client();
  const retry = { maximumAttempts: 2, initialInterval: 10 };
  const error = (await weft.submit("flaky", { key: "never", failures: 9 }, { retry }).settled()).error;
  expect(error).toBeInstanceOf(TaskFailedError);
  expect(error).toMatchObject({ attempts: 2, attempt: 2 });
  expect(error?.message).toMatch(/failed after 2 attempts: RangeError: try 2$/);
  expect(triesOf("never")).toBe(2);
});

test("no policy, an excluded name and a NonRetryableError mean one try", async () => {
  const weft = await cluster.client();
  const retry = { maximumAttempts: 5, initialInterval: 10 };
  await weft.submit("flaky", { key: "none", failures: 9 }).settled();
  await weft
    .submit(
      "flaky",
      { key: "named", failures: 9 },
      { retry: { ...retry, nonRetryableErrors: ["RangeError"] } },
    )
    .settled();
  const { error } = await weft.submit("hopeless", "hopeless", { retry }).settled();
  expect(error?.cause).toMatchObject({ name: "NonRetryableError", message: "no use" });
  expect(["none", "named", "hopeless"].map(triesOf)).toEqual([1, 1, 1]);
});

test("a RetryAfterError decides when the next try comes", async () => {
  const weft = await cluster.client();
  const retry = { maximumAttempts: 2, initialInterval: "1h" };
  expect(await weft.submit("later", { key: "later", retryAfter: "300ms" }, { retry }).result()).toBe("now");
  expect(gapsOf("later")[0]).toBeGreaterThanOrEqual(300);
});

test("a task that backs off says so, and a cancel ends it at once", async () => {
  const weft = await cluster.client();
  const retry = { maximumAttempts: 2, initialInterval: "1h" };
  const handle = weft.submit("flaky", { key: "long", failures: 9 }, { retry });
  await waitUntil(async () => (await handle.state()) === "backing_off");
  expect(await handle.cancel("enough")).toMatchObject({ outcome: "cancelled", stopped: "between_attempts" });
});

test("a new leader goes on with the backoff of the one before", async () => {
  const weft = await cluster.client();
  const retry = { maximumAttempts: 2, initialInterval: "2s", jitter: 0 };
  const handle = weft.submit("flaky", { key: "moved", failures: 1 }, { retry });
  await waitUntil(async () => (await handle.state()) === "backing_off");
  const standby = await cluster.coordinator();
  await cluster.leader().stop();
  await standby.untilLeading();
  expect(await handle.result()).toBe(2);
});
