/** Code in real threads: what comes back, what a thread takes with it when it dies, and that none is left. */
import {
  decodeFailure,
  decodeValue,
  encodeValue,
  type Failure,
  rebuildError,
  TaskName,
} from "@weft/protocol";
import { systemClock } from "@weft/transport";
import { afterAll, beforeEach, describe, expect, test } from "vitest";
import { waitUntil } from "../../testing/src/index.ts";
import type { LogLevel, TaskOutlet } from "../src/context.ts";
import type { Executor, Run } from "../src/executors/executor.ts";
import { threadExecutor } from "../src/executors/thread.ts";
import type { AttemptEnd } from "../src/run-attempt.ts";
import { TaskRegistry } from "../src/task-registry.ts";
import { taskId } from "./assignment.ts";
import * as module from "./thread-tasks.ts";

const registry = new TaskRegistry();
registry.addModule(module, new URL("./thread-tasks.ts", import.meta.url).href, "thread-tasks.ts");

class RecordedOutlet implements TaskOutlet {
  readonly reports: unknown[][] = [];
  readonly logs: [LogLevel, string, unknown][] = [];
  readonly progress = (...report: unknown[]): void => void this.reports.push(report);
  readonly log = (...line: [LogLevel, string, unknown]): void => void this.logs.push(line);
}

const KEPT_MAX = 6;
let executor: Executor = threadExecutor({ keptMax: KEPT_MAX, clock: systemClock });
/** Each thread of this process has one. */
const threadCount = (): number =>
  process.getActiveResourcesInfo().filter((name) => name === "MessagePort").length;
const NO_THREADS = threadCount();
let numbered = 0;

afterAll(() => executor.close());

type Given = { readonly input?: unknown; readonly outlet?: TaskOutlet; readonly args?: Uint8Array };

function start(name: string, { input, outlet, args }: Given = {}): Run {
  const task = registry.get(name);
  if (task === undefined) throw new Error(`there is no task ${name}`);
  const facts = { id: taskId(++numbered), name: TaskName.parse(name), attempt: 3 };
  const deps = [encodeValue("a dependency", "it"), null];
  const encoded = args ?? encodeValue(input, "the input");
  return executor.run(task, { ...facts, args: encoded, deps }, outlet ?? new RecordedOutlet());
}

async function resultOf(name: string, given: Given = {}): Promise<unknown> {
  const end = await start(name, given).end;
  if (end.outcome !== "succeeded") throw rebuildError(failureIn(end));
  return decodeValue(end.value ?? new Uint8Array());
}

function failureIn({ outcome, value }: AttemptEnd): Failure {
  expect(outcome).toBe("failed");
  return decodeFailure(value ?? new Uint8Array());
}

const failureOfRun = async (name: string, given: Given = {}): Promise<Failure> =>
  failureIn(await start(name, given).end);

describe("a thread", () => {
  test("is another than this one, and is used again", async () => {
    const first = await resultOf("identify");
    expect(first).not.toBe(0);
    for (let i = 0; i < 20; i++) expect(await resultOf("identify")).toBe(first);
  });

  test("runs one attempt at a time, so that many at once have as many threads, and later ones share them", async () => {
    const waiting = [start("waits"), start("waits"), start("waits")];
    const other = await resultOf("identify");
    for (const run of waiting) run.stop({ type: "cancelled", reason: null });
    await Promise.all(waiting.map((run) => run.end));
    const ids = await Promise.all(Array.from({ length: 4 }, () => resultOf("identify")));
    expect(new Set(ids).size).toBe(4);
    expect(ids).toContain(other);
    for (let i = 0; i < 10; i++) expect(ids).toContain(await resultOf("identify"));
  });

  test("with a memory limit is not used for a task with another", async () => {
    expect(await resultOf("small")).not.toBe(await resultOf("identify"));
    expect(await resultOf("small")).toBe(await resultOf("small"));
  });

  test("gets what an attempt has, and the ambient context", async () => {
    const [id, name, attempt, deps, isAmbient] = (await resultOf("facts")) as unknown[];
    expect(id).toBe(taskId(numbered));
    expect([name, attempt, deps, isAmbient]).toEqual(["facts", 3, ["a dependency", undefined], true]);
  });

  test("gets no input as undefined and null as null", async () => {
    expect(await resultOf("echo")).toBeUndefined();
    expect(await resultOf("echo", { input: null })).toBeNull();
  });

  test("is sent its own arguments only, whatever they lie among in memory", async () => {
    const packed = encodeValue(Buffer.of(1, 2, 3), "the input");
    const message = new Uint8Array(1024 * 1024);
    message.set(packed, 500);
    const args = message.subarray(500, 500 + packed.length);
    expect(await resultOf("buffer-bytes", { args })).toBeLessThan(1_000);
  });

  test("hands over its own result only, whatever it was packed among", async () => {
    const { value } = await start("echo", { input: "a text" }).end;
    expect(value?.buffer.byteLength).toBe(value?.length);
    const failure = await start("throws", { input: "text" }).end;
    expect(failure.value?.buffer.byteLength).toBe(failure.value?.length);
  });

  test("takes two hundred attempts on four threads, and each gets its own answer", async () => {
    const answers: unknown[] = [];
    const lane = async (from: number): Promise<void> => {
      for (let i = from; i < 200; i += 4) answers[i] = await resultOf("echo", { input: { i } });
    };
    await Promise.all([0, 1, 2, 3].map(lane));
    expect(answers).toEqual(Array.from({ length: 200 }, (_, i) => ({ i })));
  });
});

describe("code in a thread that throws", () => {
  test.each([
    ["text", "just text"],
    ["nothing", "a task threw undefined instead of an Error"],
    ["symbol", "a task threw Symbol(mine) instead of an Error"],
    ["function", "a task threw () => 1 instead of an Error"],
    ["object", 'a task threw {"code":7,"nested":{}} instead of an Error'],
  ])("no Error but %s fails with it, and the thread goes on", async (input, message) => {
    const before = await resultOf("identify");
    expect(await failureOfRun("throws", { input })).toMatchObject({ name: "NonErrorThrown", message });
    expect(await resultOf("identify")).toBe(before);
  });

  test("an error of its own class fails with its name, properties, stack and causes", async () => {
    const failure = await failureOfRun("throws-class");
    expect(failure).toMatchObject({ name: "QuotaError", message: "over", properties: { limit: 7 } });
    expect(failure.stack).toContain("thread-tasks.ts");
    expect(failure.cause).toMatchObject({ name: "TypeError", message: "inner" });
    expect(failure.cause?.cause).toMatchObject({ name: "NonErrorThrown", message: "a text" });
  });

  test.each([
    ["returns-function", "EncodingError"],
    ["returns-promise", "EncodingError"],
    ["returns-too-much", "PayloadTooLargeError"],
  ])(
    "nothing but returns what cannot travel (%s) fails by name, and the thread goes on",
    async (name, error) => {
      const before = await resultOf("identify");
      expect((await failureOfRun(name)).name).toBe(error);
      expect(await resultOf("identify")).toBe(before);
    },
  );
});

describe("a thread that dies", () => {
  test.each([
    ["exits", "ThreadExitError", "the thread ended with code 7"],
    ["closes-port", "ThreadExitError", "the thread ended with code 0"],
    ["throws-later", "Error", "out of a timer"],
    ["rejects-unheard", "Error", "nobody listens"],
    ["eats-memory", "OutOfMemoryError", "the task needed more memory than its limit of 16 MiB"],
  ])("(%s) takes its attempt with it and nothing else", async (name, error, message) => {
    const beside = start("waits");
    const failure = await failureOfRun(name, { input: 7 });
    expect(failure.name).toBe(error);
    expect(failure.message).toContain(message);
    expect(await resultOf("echo", { input: "next" })).toBe("next");
    beside.stop({ type: "cancelled", reason: null });
    expect((await beside.end).outcome).toBe("cancelled");
  });

  test.each(["eats-numbers", "eats-objects"])(
    "for lack of memory (%s), four at once, ends four tasks and not the process",
    { timeout: 60_000 },
    async (name) => {
      const beside = start("waits");
      const failures = await Promise.all([1, 2, 3, 4].map(() => failureOfRun(name)));
      for (const failure of failures) {
        expect(failure.name).toBe("OutOfMemoryError");
        expect(failure.message).toContain("its limit of 64 MiB");
      }
      beside.stop({ type: "cancelled", reason: null });
      expect((await beside.end).outcome).toBe("cancelled");
      expect(await resultOf("echo", { input: "next" })).toBe("next");
    },
  );

  test("does not die of garbage, where what is alive is within its limit", { timeout: 30_000 }, async () => {
    expect(await resultOf("makes-garbage")).toBe(75);
  });

  test("again and again leaves nothing behind", async () => {
    const before = threadCount();
    for (let i = 0; i < 10; i++) await failureOfRun("exits", { input: i });
    await waitUntil(() => threadCount() <= before, {
      story: () => `${threadCount()} ports, ${before} before`,
    });
  });
});

describe("a cancel", () => {
  test("reaches the code in its thread through its signal, with the reason", async () => {
    const outlet = new RecordedOutlet();
    const run = start("waits", { outlet });
    await waitUntil(() => outlet.reports.length > 0);
    run.stop({ type: "cancelled", reason: "enough" });
    expect(await run.end).toEqual({ outcome: "cancelled", value: null, failure: null });
  });

  test("before the thread has even begun reaches it too", async () => {
    const run = start("waits");
    run.stop({ type: "cancelled", reason: null });
    expect((await run.end).outcome).toBe("cancelled");
  });

  test("of an attempt that is over does not touch the next one in its thread", async () => {
    const first = start("identify");
    await first.end;
    const outlet = new RecordedOutlet();
    const next = start("waits", { outlet });
    await waitUntil(() => outlet.reports.length > 0);
    first.stop({ type: "cancelled", reason: "late" });
    expect(await resultOf("echo", { input: 1 })).toBe(1);
    next.stop({ type: "cancelled", reason: "now" });
    const end = await next.end;
    expect(end.outcome).toBe("cancelled");
  });
});

describe("progress in a thread", () => {
  test("is reported from any depth, in order, and the last value is never lost", async () => {
    for (const name of ["reports-below", "reports-at-once"]) {
      const outlet = new RecordedOutlet();
      await resultOf(name, { input: 100, outlet });
      const fractions = outlet.reports.map(([fraction]) => fraction as number);
      expect(fractions.at(-1)).toBe(1);
      expect(fractions).toEqual([...new Set(fractions)].sort((a, b) => a - b));
    }
  });

  test("of two attempts at once does not mix", async () => {
    const outlets = [new RecordedOutlet(), new RecordedOutlet()];
    await Promise.all(outlets.map((outlet, i) => resultOf("reports-below", { input: 50 + i, outlet })));
    for (const [i, { reports }] of outlets.entries()) {
      for (const [fraction, message] of reports) {
        expect(message).toBe(`step ${Math.round((fraction as number) * (50 + i))}`);
      }
    }
  });

  test.each([Number.NaN, Number.POSITIVE_INFINITY, -0.1, 1.1])("of %s fails the task", async (input) => {
    expect((await failureOfRun("reports-wrongly", { input })).name).toBe("InvalidProgressError");
  });

  test("carries its data as JSON does, as everywhere", async () => {
    const outlet = new RecordedOutlet();
    await resultOf("reports-odd", { outlet });
    expect(outlet.reports).toEqual([
      [0.1, "odd", { at: "1970-01-01T00:00:00.000Z", list: ["1"] }],
      [1, "odd", { at: "1970-01-01T00:00:00.000Z", list: [] }],
    ]);
  });

  test("after the end of its attempt is not the next one's", async () => {
    const outlet = new RecordedOutlet();
    const thread = await resultOf("outlives", { outlet });
    expect(await resultOf("identify", { outlet })).toBe(thread);
    expect(await resultOf("identify", { outlet })).toBe(thread);
    expect(outlet.reports).toEqual([]);
  });
});

describe("what code in a thread tells", () => {
  test("as a log may be anything: what cannot be sent is told in words, and the task goes on", async () => {
    const outlet = new RecordedOutlet();
    expect(await resultOf("logs-odd", { outlet })).toBe("done");
    expect(outlet.logs.map(([level, message]) => `${level} ${message}`)).toEqual([
      "info plain",
      "warn a function",
      "error a cycle",
      "debug a big number",
    ]);
    expect(outlet.logs[0]?.[2]).toEqual({ a: 1 });
    expect(outlet.logs[1]?.[2]).toContain("run");
  });

  test("on the port of its thread, which is not its own, harms nothing", async () => {
    expect(await resultOf("posts-junk")).toBe("done");
    expect(await resultOf("echo", { input: 1 })).toBe(1);
  });
});

describe("an executor that closes", () => {
  beforeEach(async () => {
    await executor.close();
    executor = threadExecutor({ keptMax: KEPT_MAX, clock: systemClock });
  });

  test("leaves no thread, whatever runs in them", async () => {
    await waitUntil(() => threadCount() <= NO_THREADS, { what: "the end of the threads before" });
    const before = threadCount();
    const begun: Promise<void>[] = [];
    const begins = (): TaskOutlet => {
      const { promise, resolve } = Promise.withResolvers<void>();
      begun.push(promise);
      return { progress: () => resolve(), log: () => undefined };
    };
    const runs = ["waits", "waits"].map((name) => start(name, { outlet: begins() }));
    // Each is in a thread of its own, and its code runs.
    await Promise.all(begun);
    expect(threadCount()).toBeGreaterThan(before);
    await executor.close();
    const ends = await Promise.all(runs.map((run) => run.end));
    for (const end of ends) expect(failureIn(end).name).toBe("ThreadExitError");
    await waitUntil(() => threadCount() <= before, {
      story: () => `${threadCount()} ports, ${before} before`,
    });
  });

  test("runs nothing any more", async () => {
    const before = threadCount();
    await executor.close();
    const failure = await failureOfRun("identify");
    expect(failure.name).toBe("ClosedError");
    expect(threadCount()).toBeLessThanOrEqual(before);
  });

  test("twice is closed once", async () => {
    start("waits");
    await Promise.all([executor.close(), executor.close()]);
    await executor.close();
  });
});

describe("an attempt that waits in a thread", () => {
  beforeEach(async () => {
    await executor.close();
    executor = threadExecutor({ keptMax: 1, clock: systemClock });
  });

  async function behindBlockingCode() {
    const { ahead } = executor;
    const task = registry.get("echo");
    if (ahead === undefined || task === undefined) throw new Error("there is nothing to test");
    // The first one also waits for the thread to start.
    for (let i = 0; i < 2; i++) await resultOf("echo");
    const order: string[] = [];
    const running = start("blocks", { input: 300 });
    expect(ahead.hasRoom(task)).toBe(true);
    const facts = { id: taskId(++numbered), name: TaskName.parse("echo"), attempt: 1, deps: [] };
    const input = { ...facts, args: encodeValue("the input", "it") };
    const waiting = ahead.runAhead(task, input, new RecordedOutlet(), () => order.push("begun"));
    const ends = [
      Promise.resolve(running.end).then(({ outcome }) => order.push(`blocking ${outcome}`)),
      Promise.resolve(waiting.end).then(({ outcome }) => order.push(`waiting ${outcome}`)),
    ];
    return { waiting, order, ended: Promise.all(ends) };
  }

  test("begins when the code before it has ended, without a word of the worker", async () => {
    const { order, ended } = await behindBlockingCode();
    await ended;
    expect(order).toEqual(["begun", "blocking succeeded", "waiting succeeded"]);
  });

  test("is cancelled at once, though the code before it does not let go of the thread", async () => {
    const { waiting, order, ended } = await behindBlockingCode();
    waiting.stop({ type: "cancelled", reason: null });
    await ended;
    expect(order).toEqual(["waiting cancelled", "blocking succeeded"]);
    expect(await resultOf("echo", { input: 5 })).toBe(5);
  });
});
