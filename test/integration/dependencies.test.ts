/** Dependencies on a real nats-server: chains, diamonds, fans, failures, cycles, unknown ids. */
import {
  type CycleError,
  DependencyFailedError,
  TaskFailedError,
  type TaskHandle,
  TaskRejectedError,
} from "@weft/client";
import { startTestCluster, type TestCluster, waitUntil } from "@weft/testing";
import { afterAll, beforeAll, expect, test } from "vitest";
import { inline } from "../fixtures/inline-tasks.ts";

let cluster: TestCluster;

beforeAll(async () => {
  cluster = await startTestCluster({ worker: { tasks: inline, slots: 50 } });
});
afterAll(() => cluster.stop());

test("results arrive in the order of dependsOn, whatever order they came in", async () => {
  const weft = await cluster.client();
  const parts = [3, 1, 2].map((n) => weft.submit("echo", n));
  expect(await weft.submit("list", undefined, { dependsOn: parts }).result()).toEqual([3, 1, 2]);
  const [first] = parts as [TaskHandle];
  expect(await weft.submit("list", undefined, { dependsOn: [first, first] }).result()).toEqual([3, 3]);
});

test("a chain of 500, a lattice of diamonds and random graphs come to the right sum", async () => {
  const weft = await cluster.client();
  let last = weft.submit<number>("add", { a: 1, b: 0 });
  for (let i = 0; i < 500; i++) last = weft.submit<number>("sum", undefined, { dependsOn: [last] });
  expect(await last.result()).toBe(1);
  let top = weft.submit<number>("add", { a: 1, b: 0 });
  for (let i = 0; i < 10; i++) {
    const left = weft.submit<number>("sum", undefined, { dependsOn: [top] });
    const right = weft.submit<number>("sum", undefined, { dependsOn: [top] });
    top = weft.submit<number>("sum", undefined, { dependsOn: [left, right] });
  }
  expect(await top.result()).toBe(2 ** 10);
});

test("a fan of 5,000 into one, with values that do not fit into one message", async () => {
  const weft = await cluster.client();
  const parts = Array.from({ length: 5_000 }, (_, i) => weft.submit("echo", `${i} ${"x".repeat(200)}`));
  const values = await weft.submit<string[]>("size", undefined, { dependsOn: parts }).result();
  expect(values).toBe(5_000);
  const heavy = Array.from({ length: 6 }, () => weft.submit("kilobytes", 400));
  expect(await weft.submit("size", undefined, { dependsOn: heavy }).result()).toBe(6);
});

test("a dependency may have settled long ago, and another client may have submitted it", async () => {
  const one = await cluster.client();
  const other = await cluster.client();
  const done = one.submit("echo", 41);
  await done.result();
  const running = one.submit("hold");
  await running.accepted;
  expect(await other.submit("list", undefined, { dependsOn: [done.id] }).result()).toEqual([41]);
  const waits = other.submit("list", undefined, { dependsOn: [done.id, running.id] });
  await waits.accepted;
  expect(await waits.state()).toBe("waiting");
  await running.cancel();
  expect((await waits.settled()).outcome).toBe("failed");
});

test("a dependency may be submitted after its dependent", async () => {
  const weft = await cluster.client();
  const id = weft.createId();
  const dependent = weft.submit("list", undefined, { dependsOn: [id] });
  await dependent.accepted;
  expect(await dependent.state()).toBe("waiting");
  weft.submit("echo", "late", { id });
  expect(await dependent.result()).toEqual(["late"]);
});

test("a failed dependency fails its dependents at once, with the chain of causes down to the root", async () => {
  const weft = await cluster.client();
  const slow = weft.submit("hold");
  const root = weft.submit("fail", "the root");
  const middle = weft.submit("list", undefined, { dependsOn: [root, slow] });
  const end = weft.submit("list", undefined, { dependsOn: [middle] });
  const error = (await end.result().catch((e: unknown) => e)) as Error;
  expect(error).toBeInstanceOf(TaskFailedError);
  const chain: string[] = [];
  for (let at: unknown = error; at instanceof Error; at = at.cause) chain.push(at.name);
  expect(chain).toEqual([
    "TaskFailedError",
    "DependencyFailedError",
    "DependencyFailedError",
    "TaskFailedError",
    "TypeError",
  ]);
  const direct = error.cause as DependencyFailedError;
  expect(direct).toBeInstanceOf(DependencyFailedError);
  expect(direct.taskId).toBe(middle.id);
  await slow.cancel();
});

test("a long chain behind a failure tells its nearest links and its root", async () => {
  const weft = await cluster.client();
  let last: TaskHandle = weft.submit("fail", "far away");
  for (let i = 0; i < 300; i++) last = weft.submit("sum", undefined, { dependsOn: [last] });
  const error = (await last.result().catch((e: unknown) => e)) as Error;
  const messages: string[] = [];
  for (let at: unknown = error; at instanceof Error; at = at.cause) messages.push(at.message);
  expect(messages.at(-1)).toBe("far away");
  expect(messages.length).toBeLessThan(25);
  expect(messages.some((message) => message.includes("dependencies further on"))).toBe(true);
});

test("a cycle is refused with the path of ids, and so is a task that depends on itself", async () => {
  const weft = await cluster.client();
  const [a, b, c] = [weft.createId(), weft.createId(), weft.createId()];
  const first = weft.submit("list", undefined, { id: a, dependsOn: [b] });
  const second = weft.submit("list", undefined, { id: b, dependsOn: [c] });
  const closing = weft.submit("list", undefined, { id: c, dependsOn: [a] });
  const error = (await closing.result().catch((e: unknown) => e)) as Error;
  expect(error).toBeInstanceOf(TaskRejectedError);
  expect((error.cause as CycleError).path).toEqual([c, a, b, c]);
  expect((await first.settled()).outcome).toBe("failed");
  expect((await second.settled()).outcome).toBe("failed");
  const self = weft.createId();
  const selfish = await weft.submit("list", undefined, { id: self, dependsOn: [self] }).settled();
  expect(selfish.outcome).toBe("rejected");
  expect((selfish.error?.cause as CycleError).path).toEqual([self, self]);
});

test("an id that nobody submits within a minute fails the dependent by name", {
  timeout: 90_000,
}, async () => {
  const weft = await cluster.client();
  const nobody = weft.createId();
  const dependent = weft.submit("list", undefined, { dependsOn: [nobody] });
  await dependent.accepted;
  const settlement = await waitUntil(async () => Promise.race([dependent.settled(), Promise.resolve(null)]), {
    timeoutMs: 80_000,
    what: "the dependent of an unknown id",
  });
  expect(settlement.outcome).toBe("failed");
  expect((settlement.error?.cause as Error).message).toContain(nobody);
});

test("thousands of tasks behind one failure all hear of it, however much there is to tell", async () => {
  const weft = await cluster.client();
  const root = weft.submit("hold");
  let last: TaskHandle = root;
  const chain = Array.from({ length: 5_000 }, () => {
    last = weft.submit("sum", undefined, { dependsOn: [last] });
    return last;
  });
  await last.accepted;
  await root.cancel();
  const settlements = await Promise.all(chain.map((handle) => handle.settled()));
  expect(settlements.every(({ outcome }) => outcome === "failed")).toBe(true);
  // The same again for one that asks afterwards.
  const other = await cluster.client();
  const attached = chain.slice(-2_000).map((handle) => other.handle(handle.id).settled());
  expect((await Promise.all(attached)).every(({ outcome }) => outcome === "failed")).toBe(true);
});
