/** The cluster around the tasks: several coordinators, workers that go, a server that restarts, a log that is replayed. */
import { startTestCluster, type TestCluster, waitUntil } from "@weft/testing";
import { afterEach, expect, test } from "vitest";
import { inline } from "../fixtures/inline-tasks.ts";

const lines: string[] = [];
const log = (line: string): void => void lines.push(line);
let cluster: TestCluster | null = null;

afterEach(async () => {
  await cluster?.stop();
  cluster = null;
  lines.length = 0;
});

test("a second coordinator is harmless: one leads, every task has one outcome", async () => {
  cluster = await startTestCluster({ worker: { tasks: inline, slots: 20 }, log });
  const second = await cluster.coordinator();
  const weft = await cluster.client();
  const counts = new Map<number, number>();
  const handles = Array.from({ length: 1_000 }, (_, i) => weft.submit<number>("echo", i));
  for (const handle of handles) handle.onComplete((n) => counts.set(n, (counts.get(n) ?? 0) + 1));
  await Promise.all(handles.map((handle) => handle.result()));
  expect(second.leading).toBe(false);
  await waitUntil(() => counts.size === 1_000);
  expect([...counts.values()].every((count) => count === 1)).toBe(true);
});

test("when the leader resigns, the standby takes over at once and running tasks go on undisturbed", async () => {
  cluster = await startTestCluster({ log });
  const standby = await cluster.coordinator();
  const worker = await cluster.worker({ tasks: inline, slots: 5 });
  const weft = await cluster.client();
  const held = weft.submit("hold");
  let attempt = 0;
  held.onProgress(() => attempt++);
  await waitUntil(() => attempt > 0);
  const waiting = weft.submit("list", undefined, { dependsOn: [held] });
  await waiting.accepted;
  // The first coordinator was started by the cluster; it resigns on stop.
  const third = await cluster.coordinator();
  await cluster.leader().stop();
  await waitUntil(() => standby.leading || third.leading, { what: "a new leader" });
  expect(await weft.submit("echo", "after").result()).toBe("after");
  await held.cancel("done with it");
  const settlement = await held.settled();
  expect(settlement).toMatchObject({ outcome: "cancelled", attempt: 1, stopped: "while_running" });
  expect((await waiting.settled()).outcome).toBe("failed");
  expect(worker.name).toContain("worker.");
});

test("tasks submitted while no coordinator lives are accepted and run when one comes", async () => {
  cluster = await startTestCluster({ worker: { tasks: inline, slots: 5 }, log });
  const weft = await cluster.client();
  await weft.submit("echo", 0).result();
  await cluster.leader().stop();
  const handles = Array.from({ length: 100 }, (_, i) => weft.submit<number>("echo", i));
  const sum = weft.submit<number>("sum", undefined, { dependsOn: handles });
  await Promise.all([...handles, sum].map((handle) => handle.accepted));
  await cluster.coordinator();
  expect(await sum.result()).toBe(4950);
});

test("a coordinator that starts late folds the whole log and knows every outcome", async () => {
  cluster = await startTestCluster({ worker: { tasks: inline, slots: 5 }, log });
  const weft = await cluster.client();
  const done = Array.from({ length: 200 }, (_, i) => weft.submit<number>("echo", i));
  const failed = weft.submit("fail", "as it must");
  await Promise.all(done.map((handle) => handle.result()));
  await failed.settled();
  await cluster.leader().stop();
  await cluster.coordinator();
  const other = await cluster.client();
  expect(await other.handle(done[7]?.id ?? "").result()).toBe(7);
  const again = await other.handle(failed.id).settled();
  expect((again.error?.cause as Error).message).toBe("as it must");
  expect(await other.submit("sum", undefined, { dependsOn: done }).result()).toBe(19_900);
});

test("a worker that stops gives back what it has not begun, and another one runs it", async () => {
  cluster = await startTestCluster({ log });
  const first = await cluster.worker({ tasks: inline, slots: 1, prefetch: 4 });
  const weft = await cluster.client();
  const running = weft.submit("hold");
  let begun = false;
  running.onProgress(() => {
    begun = true;
  });
  await waitUntil(() => begun);
  const queued = Array.from({ length: 3 }, (_, i) => weft.submit<number>("echo", i));
  await Promise.all(queued.map((handle) => handle.accepted));
  const second = await cluster.worker({ tasks: inline, slots: 4 });
  const stopped = first.stop({ graceMs: 50 });
  expect(await Promise.all(queued.map((handle) => handle.result()))).toEqual([0, 1, 2]);
  await stopped;
  // What still ran is run again elsewhere, as a new attempt.
  const seen: number[] = [];
  running.onProgress((p) => seen.push((p as { attempt?: number }).attempt ?? 0));
  await waitUntil(() => seen.includes(2), { what: "the second attempt" });
  await running.cancel();
  expect((await running.settled()).attempt).toBe(2);
  expect(second.taskNames).toContain("hold");
});

test("the server restarts under load and no task is lost or settled twice", { timeout: 60_000 }, async () => {
  cluster = await startTestCluster({ worker: { tasks: inline, slots: 20 }, log });
  const weft = await cluster.client({ onError: () => undefined });
  const counts = new Map<number, number>();
  const handles = [];
  for (let i = 0; i < 2_000; i++) {
    const handle = weft.submit<number>("echo", i);
    handle.onComplete((n) => counts.set(n, (counts.get(n) ?? 0) + 1));
    handles.push(handle);
    if (i === 500) await handle.accepted;
    if (i === 1_000) await cluster.server.restart();
  }
  const values = await Promise.all(handles.map((handle) => handle.result()));
  expect(values).toEqual(Array.from({ length: 2_000 }, (_, i) => i));
  await waitUntil(() => counts.size === 2_000);
  expect([...counts.values()].every((count) => count === 1)).toBe(true);
  expect(await weft.submit("echo", "after").result()).toBe("after");
});

test("a queued task is cancelled before it starts, a waiting one before it is released", async () => {
  cluster = await startTestCluster({ worker: { tasks: inline, slots: 1, prefetch: 2 }, log });
  const weft = await cluster.client();
  const blocker = weft.submit("hold");
  let begun = false;
  blocker.onProgress(() => {
    begun = true;
  });
  await waitUntil(() => begun);
  const prefetched = weft.submit("echo", 1);
  const behind = Array.from({ length: 5 }, (_, i) => weft.submit("echo", i));
  const waiting = weft.submit("list", undefined, { dependsOn: [blocker] });
  await waiting.accepted;
  expect(await prefetched.cancel("not wanted")).toMatchObject({
    outcome: "cancelled",
    stopped: "before_start",
  });
  for (const handle of behind)
    expect(await handle.cancel()).toMatchObject({ outcome: "cancelled", stopped: "before_start" });
  expect(await waiting.cancel()).toMatchObject({ outcome: "cancelled", stopped: "before_release" });
  expect(await blocker.cancel()).toMatchObject({ outcome: "cancelled", stopped: "while_running" });
  await expect(prefetched.result()).rejects.toThrow("not wanted");
});

test("a cancel of something settled tells how it ended", async () => {
  cluster = await startTestCluster({ worker: { tasks: inline, slots: 1 }, log });
  const weft = await cluster.client();
  const done = weft.submit("echo", 1);
  await done.result();
  expect(await done.cancel()).toMatchObject({ outcome: "succeeded", stopped: null });
  const other = await cluster.client();
  expect(await other.handle(done.id).cancel()).toMatchObject({ outcome: "succeeded", stopped: null });
});

test("priority decides among tasks that may run, then age", async () => {
  cluster = await startTestCluster({ log });
  const weft = await cluster.client();
  const order: number[] = [];
  const submit = (n: number, priority: number): Promise<unknown> =>
    weft.submit<number>("echo", n, { priority }).onComplete((value) => order.push(value)).accepted;
  await submit(1, 0);
  await submit(2, 5);
  await submit(3, 0);
  await submit(4, 5);
  await submit(5, -1);
  await cluster.worker({ tasks: inline, slots: 1, prefetch: 0 });
  await waitUntil(() => order.length === 5);
  expect(order).toEqual([2, 4, 1, 3, 5]);
});

test("labels choose the workers that may run a task", async () => {
  cluster = await startTestCluster({ worker: { tasks: inline, slots: 2 }, log });
  const weft = await cluster.client();
  const wants = weft.submit("echo", "gpu", { labels: ["gpu"] });
  await wants.accepted;
  expect(await wants.state()).toBe("released");
  await cluster.worker({ tasks: inline, slots: 2, labels: ["gpu", "big"] });
  expect(await wants.result()).toBe("gpu");
});

test("a task that no live worker has stays ready until one comes", async () => {
  cluster = await startTestCluster({ log });
  const weft = await cluster.client();
  const handle = weft.submit("echo", 9);
  await handle.accepted;
  expect(await handle.state()).toBe("released");
  await cluster.worker({ tasks: inline });
  expect(await handle.result()).toBe(9);
});
