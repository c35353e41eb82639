/** A worker on a real cluster, with tasks and an owner that do what they should not. */
import { setTimeout as later } from "node:timers/promises";
import { UsageError } from "@weft/protocol";
import { afterEach, describe, expect, test, vi } from "vitest";
import { startTestCluster, type TestCluster, waitUntil } from "../../testing/src/index.ts";
import { defineTask, reportProgress, Worker, type WorkerOptions } from "../src/index.ts";
import * as threaded from "./thread-tasks.ts";

let cluster: TestCluster | undefined;
afterEach(async () => {
  await cluster?.stop();
});

const file = new URL("./thread-tasks.ts", import.meta.url).href;
const echo = defineTask("echo", (input: unknown) => input);

describe("a task on a worker", () => {
  test("may log anything, in a thread or not: it ends as if it had not, and its owner reads it", async () => {
    const lines: string[] = [];
    const logsOdd = defineTask("logs-inline", (_input: undefined, ctx) =>
      threaded.logsOdd.handler(undefined, ctx),
    );
    cluster = await startTestCluster({
      worker: { files: [file], tasks: { logsOdd }, log: (line) => void lines.push(line) },
    });
    const weft = await cluster.client();
    for (const name of ["logs-odd", "logs-inline"]) {
      expect(await weft.submit(name).result()).toBe("done");
      const told = lines.splice(0).filter((line) => /: (?:plain|a function|a cycle|a big number)/.test(line));
      expect(told).toHaveLength(4);
      expect(told[0]).toMatch(/info \w\S*: plain \{"a":1\}$/);
      expect(told[2]).toContain("Circular");
      expect(told[3]).toContain("n: 1n");
    }
    expect(await weft.submit("echo", 1).result()).toBe(1);
  });

  test("is not harmed by an owner whose listener throws", async () => {
    const lines: string[] = [];
    const onTaskLog = (): never => {
      throw new Error("the owner's");
    };
    const logs = defineTask("logs", (_input: undefined, ctx) => ctx.log.info("heard?"));
    cluster = await startTestCluster({
      worker: { files: [file], tasks: { logs }, onTaskLog, log: (line) => void lines.push(line) },
    });
    const weft = await cluster.client();
    await weft.submit("logs").result();
    expect(await weft.submit("logs-odd").result()).toBe("done");
    expect(lines.filter((line) => line.includes("onTaskLog threw: Error: the owner's"))).toHaveLength(5);
  });

  test("may change what it has reported: the report stands, and the worker too", async () => {
    const mutates = defineTask("mutates", async () => {
      const data: { rows: number; big?: bigint; self?: unknown } = { rows: 1 };
      for (const fraction of [0.1, 0.2, 0.3]) reportProgress(fraction, "as it was", data);
      data.big = 1n;
      data.self = data;
      await later(200);
    });
    cluster = await startTestCluster({ worker: { tasks: { mutates, echo } } });
    const weft = await cluster.client();
    const seen: unknown[] = [];
    const handle = weft.submit("mutates").onProgress(({ fraction, data }) => seen.push([fraction, data]));
    await handle.result();
    await waitUntil(() => seen.length > 0);
    expect(seen.at(-1)).toEqual([0.3, { rows: 1 }]);
    expect(await weft.submit("echo", 1).result()).toBe(1);
  });

  test("fails with as much of a huge error as fits into a record", async () => {
    const hugeError = defineTask("huge-error", () => {
      let error: Error | undefined;
      for (let i = 0; i < 16; i++) {
        error = new Error("語".repeat(9_000), { cause: error });
        for (let k = 0; k < 16; k++) Object.assign(error, { [`detail${k}`]: "語".repeat(1_000) });
      }
      throw error;
    });
    cluster = await startTestCluster({ worker: { tasks: { hugeError, echo } } });
    const weft = await cluster.client();
    const { outcome, error } = await weft.submit("huge-error").settled();
    expect(outcome).toBe("failed");
    expect((error?.cause as Error).message).toMatch(/^語+/);
    expect(await weft.submit("echo", 1).result()).toBe(1);
  });

  test("is named as oddly as a name may be", async () => {
    const names = ["__proto__", "constructor", "then", "-", "_", "0", "x".repeat(64), "to-string"];
    const tasks = Object.fromEntries(names.map((name, i) => [`task${i}`, defineTask(name, () => name)]));
    cluster = await startTestCluster({ worker: { tasks } });
    const weft = await cluster.client();
    for (const name of names) expect(await weft.submit(name).result()).toBe(name);
  });

  test("that was left behind may go on reporting, to nobody", async () => {
    const unhandled = vi.fn();
    process.on("uncaughtException", unhandled);
    let stop = false;
    let reports = 0;
    const stubborn = defineTask("stubborn", async (_input: undefined, ctx) => {
      while (!stop) {
        ctx.progress(0.5, String(reports++));
        await later(1);
      }
    });
    cluster = await startTestCluster();
    const worker = await cluster.worker({ tasks: { stubborn } });
    const weft = await cluster.client();
    await new Promise((begun) => weft.submit("stubborn").onProgress(begun));
    await worker.stop({ graceMs: 0 });
    const before = reports;
    await waitUntil(() => reports > before + 50);
    stop = true;
    process.off("uncaughtException", unhandled);
    expect(unhandled).not.toHaveBeenCalled();
  });
});

describe("a worker", () => {
  test("stops once, however often it is asked to", async () => {
    cluster = await startTestCluster();
    const worker = await cluster.worker({ tasks: { echo } });
    const stopped = worker.stop();
    expect(worker.stop({ graceMs: 0 })).toBe(stopped);
    await stopped;
    await worker[Symbol.asyncDispose]();
  });

  test("waits for ever for running work where it is told to", async () => {
    const { promise, resolve } = Promise.withResolvers<string>();
    const slow = defineTask("slow", (_input: undefined, ctx) => {
      ctx.progress(0);
      return promise;
    });
    cluster = await startTestCluster();
    const worker = await cluster.worker({ tasks: { slow } });
    const weft = await cluster.client();
    const handle = weft.submit<string>("slow");
    await new Promise((begun) => handle.onProgress(begun));
    const stopped = worker.stop({ graceMs: Number.POSITIVE_INFINITY });
    await weft.submit("slow").accepted;
    resolve("done");
    await stopped;
    expect(await handle.result()).toBe("done");
  });

  test.each<[string, Partial<WorkerOptions>]>([
    ["slots", { slots: 1.5 }],
    ["slots", { slots: "8" as never }],
    ["slots", { slots: Number.POSITIVE_INFINITY }],
    ["prefetch", { prefetch: -1 }],
    ["labels", { labels: ["has space"] }],
    ["labels", { labels: Array.from({ length: 33 }, (_, i) => `l${i}`) }],
    ["labels", { labels: "gpu" as never }],
    ["identity", { identity: "a.b" }],
    ["namespace", { namespace: "*" }],
  ])("with wrong %s does not start, and says so before it connects", async (what, wrong) => {
    const start = Worker.start({ servers: "nats://127.0.0.1:1", tasks: { echo }, ...wrong });
    await expect(start).rejects.toThrow(UsageError);
    await expect(Worker.start({ servers: "nats://127.0.0.1:1", tasks: { echo }, ...wrong })).rejects.toThrow(
      what,
    );
  });
});
