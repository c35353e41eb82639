/** Each time limit on a real cluster: who ends the task, what is told, and that nothing goes on after it. */
import { type TaskHandle, TaskTimedOutError } from "@weft/client";
import { startTestCluster, type TestCluster, waitUntil } from "@weft/testing";
import { Worker } from "@weft/worker";
import { afterEach, expect, test } from "vitest";
import * as policy from "../fixtures/policy-tasks.ts";
import { triesOf } from "../fixtures/policy-tasks.ts";
import { startWeft } from "../fixtures/process.ts";
import { deaf, deafEnds, echo } from "../fixtures/tasks.ts";

const file = new URL("../fixtures/tasks.ts", import.meta.url).pathname;
const HOUR_MS = 3_600_000;
const tasks = { ...policy, deaf, echo };
let cluster: TestCluster;
afterEach(() => cluster.stop());

async function timedOut(handle: TaskHandle): Promise<TaskTimedOutError> {
  const { outcome, error } = await handle.settled();
  expect(outcome).toBe("timed_out");
  expect(error).toBeInstanceOf(TaskTimedOutError);
  return error as TaskTimedOutError;
}

test("a run that takes too long has its signal fired, and has timed out whatever it then returns", async () => {
  cluster = await startTestCluster({ worker: { tasks } });
  const weft = await cluster.client();
  const error = await timedOut(weft.submit("heeds", "late", { timeout: "100ms" }));
  expect(error).toMatchObject({ limit: "run", limitMs: 100, attempts: 1 });
  expect(error.message).toMatch(/ran for longer than its time-out of 100 ms$/);
  expect(await weft.submit("echo", 1, { timeout: "10s" }).result()).toBe(1);
});

test("a thread that heeds nothing is ended after its grace; the task is tried again, and times out in the end", async () => {
  cluster = await startTestCluster({ worker: { files: [file], slots: 1, cancelGraceMs: 50 } });
  const weft = await cluster.client();
  const retry = { maximumAttempts: 2, initialInterval: 10 };
  const error = await timedOut(weft.submit("spin", HOUR_MS, { timeout: 100, retry }));
  expect(error).toMatchObject({ limit: "run", attempts: 2 });
  expect(await weft.submit("thread-sum", 10).result()).toBe(45);
});

test("inline code that heeds nothing times out after its grace, and keeps its slot until it ends", {
  timeout: 30_000,
}, async () => {
  const lines: string[] = [];
  const log = (line: string): void => void lines.push(line);
  cluster = await startTestCluster({ worker: { tasks, slots: 1, cancelGraceMs: 50, log } });
  const weft = await cluster.client();
  const deafTask = weft.submit("deaf", undefined, { timeout: 100 });
  // It waits in the worker, behind the slot that is not given back, and then for another worker.
  const next = weft.submit("echo", 1);
  expect(await timedOut(deafTask)).toMatchObject({ limit: "run" });
  expect(lines.some((line) => line.includes("its slot is taken until it ends"))).toBe(true);
  expect(await next.state()).toBe("released");
  await using _other = await Worker.start({ servers: cluster.server.url, tasks: { echo }, slots: 1 });
  expect(await next.result()).toBe(1);
  await _other.stop();
  const last = weft.submit("echo", 2);
  await last.accepted;
  expect(await last.state()).toBe("released");
  for (const end of deafEnds.splice(0)) end();
  expect(await last.result()).toBe(2);
});

test("a worker that blocks, and so does not see to its time-out, has the leader do it", {
  timeout: 60_000,
}, async () => {
  cluster = await startTestCluster();
  const worker = startWeft(["worker", file, "--cancel-grace", "100ms", "--url", cluster.server.url]);
  try {
    const weft = await cluster.client();
    await weft.submit("echo", 1).result();
    const handle = weft.submit("block", HOUR_MS, { timeout: 500 });
    expect(await timedOut(handle)).toMatchObject({ limit: "run", attempts: 1 });
  } finally {
    worker.kill("SIGKILL");
    await worker.exited;
  }
});

test("what nobody begins in time has timed out, in the leader's queue and in a worker's", async () => {
  cluster = await startTestCluster({ worker: { tasks, slots: 1, prefetch: 1 } });
  const weft = await cluster.client();
  const nobody = weft.submit("no-such-task", 1, { queueTimeout: "200ms" });
  const running = weft.submit("deaf");
  await new Promise((begun) => running.onProgress(begun));
  const prefetched = weft.submit("flaky", { key: "prefetched", failures: 0 }, { queueTimeout: "300ms" });
  const queued = weft.submit("flaky", { key: "queued", failures: 0 }, { queueTimeout: "300ms" });
  for (const handle of [nobody, prefetched, queued])
    expect(await timedOut(handle)).toMatchObject({ limit: "queue", attempts: 0 });
  // What its worker was told of them has arrived before a later cancel is answered.
  expect(await weft.submit("echo", 1).cancel()).toMatchObject({ stopped: "before_start" });
  for (const end of deafEnds.splice(0)) end();
  await running.result();
  expect(await weft.submit("echo", 1, { queueTimeout: "10s" }).result()).toBe(1);
  expect(["prefetched", "queued"].map(triesOf)).toEqual([0, 0]);
});

test("a task that was begun in time is not bound by its queue time-out", async () => {
  cluster = await startTestCluster({ worker: { tasks } });
  const weft = await cluster.client();
  const running = weft.submit("deaf", undefined, { queueTimeout: "300ms" });
  await new Promise((begun) => running.onProgress(begun));
  const other = weft.submit("no-such-task", 1, { queueTimeout: "1500ms" });
  await timedOut(other);
  for (const end of deafEnds.splice(0)) end();
  expect(await running.result()).toBe("heard nothing");
});

test("a deadline ends a task that runs, and one that waits, with what it waits for told", async () => {
  cluster = await startTestCluster({ worker: { tasks, slots: 2 } });
  const weft = await cluster.client();
  const deadline = new Date(Date.now() + 700);
  const running = weft.submit("heeds", "bounded", { deadline });
  const waiting = weft.submit("echo", 1, { dependsOn: [weft.submit("deaf")], deadline: "500ms" });
  expect(await timedOut(running)).toMatchObject({ limit: "deadline", limitMs: deadline.getTime() });
  expect((await timedOut(waiting)).message).toContain("did not end by its deadline, 20");
  // Its code was told: the slot is free again.
  await waitUntil(async () => (await weft.submit("echo", 1).result()) === 1);
  for (const end of deafEnds.splice(0)) end();
});

test("a dependency that takes too long ends what waits for it, and not itself", async () => {
  cluster = await startTestCluster({ worker: { tasks, slots: 2 } });
  const weft = await cluster.client();
  const slow = weft.submit("deaf");
  const patient = weft.submit("echo", 1, { dependsOn: [slow], dependencyTimeout: "off" });
  const waiting = weft.submit("echo", 1, { dependsOn: [slow], dependencyTimeout: "200ms" });
  expect(await timedOut(waiting)).toMatchObject({ limit: "dependency", limitMs: 200 });
  for (const end of deafEnds.splice(0)) end();
  expect(await slow.result()).toBe("heard nothing");
  expect(await patient.result()).toBe(1);
});
