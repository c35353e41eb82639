/** The main path on a real nats-server: submit, run, follow. */
import { ResultExpiredError, TaskFailedError, UnknownTaskError, UsageError } from "@weft/client";
import { startTestCluster, type TestCluster, waitUntil } from "@weft/testing";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type * as tasks from "../fixtures/tasks.ts";

const file = new URL("../fixtures/tasks.ts", import.meta.url).href;
let cluster: TestCluster;

beforeAll(async () => {
  cluster = await startTestCluster({ worker: { files: [file], slots: 8 } });
});
afterAll(() => cluster.stop());

describe("a task", () => {
  test("runs on a worker and its result comes back", async () => {
    const weft = await cluster.client();
    const handle = weft.tasks<typeof tasks>().add({ a: 1, b: 2 });
    await handle.accepted;
    expect(await handle.result()).toBe(3);
    expect(handle.tryResult()).toEqual({ value: 3 });
    expect(await handle.state()).toBe("succeeded");
  });

  test("whose result is not to be kept gives it to its client, to what depends on it, and then to nobody", async () => {
    const [weft, other] = [await cluster.client(), await cluster.client()];
    const handle = weft.submit("echo", "once", { keepResult: false });
    const dependent = weft.submit("list", undefined, { dependsOn: [handle] });
    expect(await handle.result()).toBe("once");
    expect(await dependent.result()).toEqual(["once"]);
    // A result that is there is told; it goes when the log has the client's word.
    const isGone = async (): Promise<boolean> => {
      const { error } = await other.handle(handle.id).settled();
      return error instanceof ResultExpiredError;
    };
    await waitUntil(isGone, { what: "the end of the result" });
    expect(await other.handle(handle.id).settled()).toMatchObject({ outcome: "succeeded" });
    const late = other.submit("list", undefined, { dependsOn: [handle.id] });
    const { error } = await late.settled();
    expect(error?.cause).toBeInstanceOf(ResultExpiredError);
    expect(handle.tryResult()).toEqual({ value: "once" });
  });

  test("carries any value that can travel, there and back", async () => {
    const weft = await cluster.client();
    const value = {
      date: new Date(5),
      bytes: new Uint8Array([1, 2]),
      big: 2n ** 70n,
      nested: [null, { x: 1.5 }],
    };
    expect(await weft.submit("echo", value).result()).toEqual(value);
    expect(await weft.submit("echo").result()).toBeUndefined();
    expect(await weft.submit("echo", null).result()).toBeNull();
    expect(await weft.submit("echo", "").result()).toBe("");
  });

  test("fails with the type name, message, stack, properties and causes of what its code threw", async () => {
    const weft = await cluster.client();
    const handle = weft.submit("quota");
    const error = await handle.result().catch((e: unknown) => e);
    expect(error).toBeInstanceOf(TaskFailedError);
    const cause = (error as Error).cause as Error & { limit: number };
    expect(cause.name).toBe("QuotaError");
    expect(cause.message).toBe("over the limit of 7");
    expect(cause.limit).toBe(7);
    expect(cause.stack).toContain("fixtures/tasks.ts");
    expect(cause.cause).toBeInstanceOf(RangeError);
    expect((cause.cause as Error).message).toBe("the cause of it");
    expect(() => handle.tryResult()).toThrow(TaskFailedError);
  });

  test("reports progress from anywhere below it without an id, then its outcome, in that order", async () => {
    const weft = await cluster.client();
    const seen: string[] = [];
    const handle = weft.tasks<typeof tasks>().steps(30);
    handle
      .onProgress((p) => seen.push(`progress ${p.fraction}`))
      .onComplete((value) => seen.push(`complete ${value}`));
    await handle.result();
    await waitUntil(() => seen.at(-1)?.startsWith("complete"));
    expect(seen.at(-1)).toBe("complete steps");
    expect(seen.at(-2)).toBe("progress 1");
    const fractions = seen.slice(0, -1).map((line) => Number(line.slice(9)));
    expect(fractions).toEqual([...fractions].sort((a, b) => a - b));
  });

  test("runs in a thread with the ambient context and real progress", async () => {
    const weft = await cluster.client();
    const fractions: number[] = [];
    const handle = weft.tasks<typeof tasks>().threadSum(2_000_000);
    handle.onProgress((p) => fractions.push(p.fraction));
    expect(await handle.result()).toBe(1_999_999_000_000);
    await waitUntil(() => fractions.length > 0);
  });

  test("that kills its thread fails alone, and the worker goes on", async () => {
    const weft = await cluster.client();
    const error = (await weft
      .submit("thread-exit")
      .result()
      .catch((e: unknown) => e)) as Error;
    expect((error.cause as Error).message).toContain("the thread ended with code 7");
    expect(await weft.submit("thread-sum", 10).result()).toBe(45);
  });

  test("is followed from another process by its id, before and after it settles", async () => {
    const one = await cluster.client();
    const other = await cluster.client({ identity: "other" });
    const held = one.submit("hold");
    const attached = other.handle(held.id);
    const fractions: number[] = [];
    attached.onProgress((p) => fractions.push(p.fraction));
    await held.accepted;
    await attached.cancel("enough");
    expect((await held.settled()).outcome).toBe("cancelled");
    const done = one.submit("echo", 5);
    await done.result();
    expect(await other.handle(done.id).result()).toBe(5);
  });

  test("whose id nobody has submitted is unknown", async () => {
    const weft = await cluster.client();
    expect(await weft.handle(weft.createId()).state()).toBe("unknown");
    expect(() => weft.handle("nonsense")).toThrow(UsageError);
    expect(UnknownTaskError).toBeDefined();
  });

  test("submitted twice under one id runs once", async () => {
    const one = await cluster.client();
    const other = await cluster.client();
    const id = one.createId();
    const first = one.submit("echo", "first", { id });
    await first.accepted;
    const second = other.submit("echo", "second", { id });
    expect(await second.result()).toBe("first");
    expect(await first.result()).toBe("first");
  });

  test("with a result of hundreds of kilobytes comes back whole", async () => {
    const weft = await cluster.client();
    for (const kilobytes of [1, 100, 300, 500]) {
      expect(await weft.submit<string>("kilobytes", kilobytes).result()).toHaveLength(kilobytes * 1024);
    }
  });
});

describe("callbacks", () => {
  test("added after the fact fire, and one that throws touches nothing else", async () => {
    const errors: Error[] = [];
    const weft = await cluster.client({ onError: (error) => errors.push(error) });
    const handle = weft.submit<number>("echo", 1);
    await handle.result();
    const seen: number[] = [];
    handle.onComplete(() => {
      throw new Error("mine");
    });
    handle.onComplete(async (value) => seen.push(value));
    await waitUntil(() => seen.length === 1);
    expect(errors.map((error) => error.message)).toEqual(["mine"]);
  });

  test("of thousands of tasks all fire, once each", async () => {
    const weft = await cluster.client();
    const seen = new Map<number, number>();
    const handles = Array.from({ length: 5_000 }, (_, i) => weft.submit<number>("echo", i));
    for (const handle of handles) handle.onComplete((value) => seen.set(value, (seen.get(value) ?? 0) + 1));
    await Promise.all(handles.map((handle) => handle.result()));
    await waitUntil(() => seen.size === 5_000);
    expect([...seen.values()].every((count) => count === 1)).toBe(true);
  });
});
