/** Code in real processes: what comes back, what a process takes with it when it dies, and that none is left. */
import {
  decodeFailure,
  decodeValue,
  encodeValue,
  type Failure,
  rebuildError,
  TaskName,
} from "@weft/protocol";
import { systemClock } from "@weft/transport";
import { afterAll, afterEach, beforeEach, describe, expect, test } from "vitest";
import { waitUntil } from "../../testing/src/index.ts";
import type { LogLevel, TaskOutlet } from "../src/context.ts";
import type { Executor, Run } from "../src/executors/executor.ts";
import { processExecutor } from "../src/executors/process.ts";
import type { AttemptEnd } from "../src/run-attempt.ts";
import { TaskRegistry } from "../src/task-registry.ts";
import { taskId } from "./assignment.ts";
import * as module from "./process-tasks.ts";

const registry = new TaskRegistry();
registry.addModule(module, new URL("./process-tasks.ts", import.meta.url).href, "process-tasks.ts");

class RecordedOutlet implements TaskOutlet {
  readonly reports: unknown[][] = [];
  readonly logs: [LogLevel, string, unknown][] = [];
  readonly progress = (...report: unknown[]): void => void this.reports.push(report);
  readonly log = (...line: [LogLevel, string, unknown]): void => void this.logs.push(line);
}

const lines: string[] = [];
const make = (keptMax: number): Executor =>
  processExecutor({ keptMax, clock: systemClock, log: (line) => void lines.push(line) });
let executor = make(4);
let numbered = 0;

beforeEach(() => {
  lines.length = 0;
});
afterAll(() => executor.close());

type Given = {
  readonly input?: unknown;
  readonly outlet?: TaskOutlet;
  readonly deps?: readonly (Uint8Array | null)[];
};

function start(name: string, { input, outlet, deps }: Given = {}): Run {
  const task = registry.get(name);
  if (task === undefined) throw new Error(`there is no task ${name}`);
  const given = {
    id: taskId(++numbered),
    name: TaskName.parse(name),
    attempt: 3,
    args: encodeValue(input, "the input"),
    deps: deps ?? [encodeValue("a dependency", "it"), null],
  };
  return executor.run(task, given, outlet ?? new RecordedOutlet());
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

/** Runs it until it has said a number: its process, or one of its own. */
async function saidBy(name: string): Promise<{ readonly run: Run; readonly pid: number }> {
  const outlet = new RecordedOutlet();
  const run = start(name, { outlet });
  await waitUntil(() => outlet.reports.length > 0);
  return { run, pid: Number(outlet.reports[0]?.[1]) };
}

function lives(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

describe("a process", () => {
  test("is another than this one, and is used again", async () => {
    const first = await resultOf("identify");
    expect(first).not.toBe(process.pid);
    for (let i = 0; i < 20; i++) expect(await resultOf("identify")).toBe(first);
  });

  test("gets what an attempt has, and the ambient context", async () => {
    const [id, name, attempt, deps, isAmbient] = (await resultOf("facts")) as unknown[];
    expect(id).toBe(taskId(numbered));
    expect([name, attempt, deps, isAmbient]).toEqual(["facts", 3, ["a dependency", undefined], true]);
  });

  test("takes and gives values of many frames, and a thousand dependencies", async () => {
    const input = "x".repeat(5_200_000);
    expect(await resultOf("echo", { input })).toBe(input);
    const deps = Array.from({ length: 1_000 }, (_, i) => encodeValue(String(i).repeat(1_000), "it"));
    const [, , , seen] = (await resultOf("facts", { deps })) as [0, 0, 0, string[]];
    expect(seen).toEqual(deps.map((dep) => decodeValue(dep)));
  });

  test("gets no input as undefined and null as null", async () => {
    expect(await resultOf("echo")).toBeUndefined();
    expect(await resultOf("echo", { input: null })).toBeNull();
  });

  test("takes two hundred attempts in four processes, and each gets its own answer", async () => {
    const answers: unknown[] = [];
    const lane = async (from: number): Promise<void> => {
      for (let i = from; i < 200; i += 4) answers[i] = await resultOf("echo", { input: { i } });
    };
    await Promise.all([0, 1, 2, 3].map(lane));
    expect(answers).toEqual(Array.from({ length: 200 }, (_, i) => ({ i })));
  });

  test("goes on after what its code has left lying about", async () => {
    expect(await resultOf("leaks")).toBe("leaked");
    expect(await resultOf("echo", { input: 1 })).toBe(1);
  });

  test("does not heed the signals of a service manager or a terminal, which are for the worker", async () => {
    expect(await resultOf("listens-to-signals")).toBe("lived");
  });
});

describe("code in a process that throws", () => {
  test("an error of its own class fails with its name, properties, stack and causes", async () => {
    const failure = await failureOfRun("throws-class");
    expect(failure).toMatchObject({ name: "QuotaError", message: "over", properties: { limit: 7 } });
    expect(failure.cause).toMatchObject({ name: "TypeError", message: "inner" });
  });

  test("no Error fails with it, and the process goes on", async () => {
    const before = await resultOf("identify");
    expect(await failureOfRun("throws", { input: "text" })).toMatchObject({
      name: "NonErrorThrown",
      message: "just text",
    });
    expect((await failureOfRun("returns-too-much")).name).toBe("PayloadTooLargeError");
    expect(await resultOf("identify")).toBe(before);
  });
});

describe("a process that dies", () => {
  test.each<[string, unknown, string, Record<string, unknown>]>([
    ["exits", 7, "the process ended with code 7", { exitCode: 7, signal: null }],
    ["exits", 0, "the process ended with code 0", { exitCode: 0 }],
    ["kills-itself", "SIGKILL", "the process was ended by SIGKILL", { exitCode: null, signal: "SIGKILL" }],
    ["kills-itself", "SIGSEGV", "the process was ended by SIGSEGV", { signal: "SIGSEGV" }],
    ["aborts", null, "the process was ended by SIGABRT", { signal: "SIGABRT" }],
    [
      "complains",
      null,
      "it last wrote:\na first line\nthe last word",
      { exitCode: 3, stderr: "a first line\nthe last word" },
    ],
  ])("(%s %s) takes its attempt with it and nothing else", async (name, input, message, properties) => {
    const beside = start("waits");
    const failure = await failureOfRun(name, { input });
    expect(failure.name).toBe("ProcessExitError");
    expect(failure.message).toContain(message);
    expect(failure.properties).toMatchObject({ code: "weft_process_exit", ...properties });
    expect(await resultOf("echo", { input: "next" })).toBe("next");
    beside.stop({ type: "cancelled", reason: null });
    expect((await beside.end).outcome).toBe("cancelled");
  });

  test.each([
    ["throws-later", "out of a timer"],
    ["rejects-unheard", "nobody listens"],
  ])("of what nobody caught (%s) fails its task with that", async (name, message) => {
    expect(await failureOfRun(name)).toMatchObject({ name: "Error", message });
  });

  test("by kill -9 from outside fails its task, even where its code blocks", async () => {
    const { run, pid } = await saidBy("blocks");
    process.kill(pid, "SIGKILL");
    expect(failureIn(await run.end).properties).toMatchObject({ signal: "SIGKILL" });
  });

  test("takes with it what it has started", async () => {
    const { run, pid } = await saidBy("has-child");
    expect(lives(pid)).toBe(true);
    expect(run.terminate()).toBe(true);
    expect((await run.end).outcome).toBe("terminated");
    await waitUntil(() => !lives(pid));
  });

  test.each(["eats-heap", "eats-at-once", "eats-buffers"])(
    "for lack of memory (%s) fails its task with the limit, four at once too",
    async (name) => {
      const failures = await Promise.all(Array.from({ length: 4 }, () => failureOfRun(name)));
      for (const failure of failures) {
        expect(failure).toMatchObject({ name: "OutOfMemoryError", properties: { memoryMb: 32 } });
        expect(failure.message).toBe("the task needed more memory than its limit of 32 MiB");
      }
      expect(await resultOf("echo", { input: 1 })).toBe(1);
    },
  );
});

describe("a cancel", () => {
  test("reaches the code in its process through its signal, and the process is used again", async () => {
    const before = await resultOf("identify");
    const outlet = new RecordedOutlet();
    const run = start("waits", { outlet });
    await waitUntil(() => outlet.reports.length > 0);
    run.stop({ type: "cancelled", reason: "enough" });
    expect(await run.end).toEqual({ outcome: "cancelled", value: null, failure: null });
    expect(await resultOf("identify")).toBe(before);
  });

  test("before the process has even begun reaches it too", async () => {
    const runs = [start("waits"), start("waits")];
    for (const run of runs) run.stop({ type: "cancelled", reason: null });
    for (const run of runs) expect((await run.end).outcome).toBe("cancelled");
  });

  test("of code that never yields ends by force", async () => {
    const { run, pid } = await saidBy("blocks");
    run.stop({ type: "cancelled", reason: "enough" });
    expect(run.terminate()).toBe(true);
    expect(run.terminate()).toBe(true);
    expect(await run.end).toEqual({ outcome: "terminated", value: null, failure: null });
    expect(lives(pid)).toBe(false);
    expect(await resultOf("echo", { input: 1 })).toBe(1);
  });
});

describe("what code in a process tells", () => {
  test("as progress is reported from any depth, in order, and the last value is never lost", async () => {
    for (const name of ["reports-below", "reports-at-once"]) {
      const outlet = new RecordedOutlet();
      await resultOf(name, { input: 100, outlet });
      const fractions = outlet.reports.map(([fraction]) => fraction as number);
      expect(fractions.at(-1)).toBe(1);
      expect(fractions).toEqual([...new Set(fractions)].sort((a, b) => a - b));
    }
  });

  test("after the end of its attempt is not the next one's", async () => {
    const outlet = new RecordedOutlet();
    const pid = await resultOf("outlives", { outlet });
    expect(await resultOf("identify", { outlet })).toBe(pid);
    expect(outlet.reports).toEqual([]);
  });

  test("as a log may be anything: what cannot be sent is told in words", async () => {
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

  test("on stdout and stderr goes to the worker's log, a long line cut", async () => {
    await resultOf("writes");
    await waitUntil(() => lines.length >= 3);
    const id = taskId(numbered);
    expect(lines).toContain(`task ${id} wrote: to the log`);
    expect(lines).toContain(`task ${id} wrote: an error`);
    expect(lines.find((line) => line.includes("xxx"))).toMatch(/ wrote: x{4096}… \(5904 characters more\)$/);
  });
});

describe("junk on the channel of a process", () => {
  test.each([
    ["writes-junk", "\0\0\0\x01 and more"],
    ["writes-junk", "GET / HTTP/1.1\r\n\r\n"],
    ["writes-junk", "\xff\xff\xff\xff________"],
    ["writes-junk", "\0\0\0\x10\0\0\xff\xff________"],
    ["writes-frame", null],
    ["writes-frame", { type: "ended", job: 1, end: null, progress: null }],
    ["writes-frame", { type: "ended", job: 1, end: { outcome: "succeeded", none: true }, progress: null }],
    ["writes-frame", { type: "progress", job: 1, fraction: 2 }],
    ["writes-frame", { type: "log", job: 1, level: "info", message: {} }],
    ["writes-frame", { type: "run", job: 1 }],
  ])("(%s %j) ends that process and nothing else", async (name, input) => {
    const failure = await failureOfRun(name, { input });
    expect(failure.name).toBe("ProcessExitError");
    expect(failure.message).toContain("no message to file descriptor 3");
    expect(await resultOf("echo", { input: 1 })).toBe(1);
  });

  test("or its end takes one attempt at most", async () => {
    const run = start("closes-channel");
    // Nobody can hear how it ended.
    run.terminate();
    expect((await run.end).outcome).toBe("terminated");
    expect(await resultOf("echo", { input: 1 })).toBe(1);
  });
});

describe("an executor of processes", () => {
  let spare: Executor;
  beforeEach(() => {
    spare = executor;
    executor = make(2);
  });
  afterEach(async () => {
    await executor.close();
    executor = spare;
  });

  test("keeps as many as it may, whatever their limits", async () => {
    const plain = (await Promise.all([resultOf("identify"), resultOf("identify")])) as number[];
    const limited = (await resultOf("small")) as number;
    await waitUntil(() => plain.filter(lives).length === 1);
    expect(lives(limited)).toBe(true);
    expect(await resultOf("small")).toBe(limited);
    const many = (await Promise.all(Array.from({ length: 4 }, () => resultOf("identify")))) as number[];
    await waitUntil(() => [...plain, limited, ...many].filter((pid) => lives(pid)).length <= 2);
  });

  test("leaves no process when it closes, whatever runs in them, and runs nothing any more", async () => {
    const { run, pid } = await saidBy("blocks");
    const idle = (await resultOf("identify")) as number;
    await executor.close();
    expect([lives(pid), lives(idle)]).toEqual([false, false]);
    expect(failureIn(await run.end).name).toBe("ProcessExitError");
    expect((await failureOfRun("identify")).name).toBe("ClosedError");
    await executor.close();
  });
});
