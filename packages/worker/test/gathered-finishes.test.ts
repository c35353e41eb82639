/** Which outcomes leave together, and when, on simulated time. */
import { decodeRecord, type InstanceId, Namespace, type Sender, Subjects, TaskName } from "@weft/protocol";
import { beforeEach, describe, expect, test } from "vitest";
import { FakeBus } from "../../testing/src/simulation/fake-bus.ts";
import { AttemptRunner } from "../src/attempt-runner.ts";
import { NO_ENTRY } from "../src/begun-table.ts";
import type { Executor } from "../src/executors/executor.ts";
import { defineTask } from "../src/index.ts";
import { type AttemptEnd, CANCELLED } from "../src/run-attempt.ts";
import { TaskRegistry } from "../src/task-registry.ts";
import { assignmentOf, taskId } from "./assignment.ts";

const subjects = new Subjects(Namespace.parse("default"));
const subject = subjects.log(0, "finish", "worker.w1" as Sender);
const SUCCEEDED: AttemptEnd = { outcome: "succeeded", value: new Uint8Array(), failure: null };

let bus: FakeBus;
let runner: AttemptRunner;
/** Ends the code of the task of this number. */
let ends: Map<string, (end: AttemptEnd) => void>;

/** Code that ends when the test says so. */
function executorOfTest(): Executor {
  return {
    run: (_task, { id }) => {
      const end = new Promise<AttemptEnd>((ended) => ends.set(id, ended));
      return { end, stop: () => undefined, terminate: () => true };
    },
    close: async () => undefined,
  };
}

/** Takes each record at once. */
function startLog(): void {
  let seq = 0;
  const acknowledge = (): Uint8Array =>
    Buffer.from(JSON.stringify({ stream: subjects.stream(0), seq: ++seq }));
  const { nats } = bus.connection("log", bus.process("n1"));
  nats.subscribe(subject, { callback: (_, message) => void message.respond(acknowledge()) });
}

beforeEach(() => {
  bus = new FakeBus();
  ends = new Map();
  startLog();
  const connection = { ...bus.connection("worker", bus.process("w1")), instance: "w1" as InstanceId };
  const registry = new TaskRegistry();
  const handler = (): void => undefined;
  const tasks = {
    thread: defineTask("thread", { executor: "thread" }, handler),
    process: defineTask("process", { executor: "process" }, handler),
    inline: defineTask("inline", handler),
  };
  registry.addModule(tasks, "file:///tasks.ts", "tasks");
  const executor = executorOfTest();
  runner = new AttemptRunner({
    connection,
    executors: { inline: executor, thread: executor, process: executor },
    subjects,
    registry,
    slots: 2,
    prefetch: 20,
    cancelGraceMs: 1_000,
    log: () => undefined,
    onBegin: () => NO_ENTRY,
    onCredits: () => undefined,
    isHeld: () => false,
    onTaskLog: () => undefined,
  });
});

function assign(count: number, name = "thread"): void {
  const facts = { name: TaskName.parse(name) };
  runner.assign(Array.from({ length: count }, (_, i) => assignmentOf({ ...facts, id: taskId(i) })));
  runner.startNext();
}

/** The outcome of one is known, and what follows from it at once. */
async function end(number: number, how: AttemptEnd = SUCCEEDED): Promise<void> {
  ends.get(taskId(number))?.(how);
  await bus.loop.play(bus.loop.nowMs);
}

const after = (ms: number): Promise<boolean> => bus.loop.play(bus.loop.nowMs + ms);

/** The tasks whose outcomes have left, by record. */
function records(): number[][] {
  return bus.published
    .filter((message) => message.subject === subject)
    .map(({ data }) => {
      const read = decodeRecord("finish", data);
      if (!read.ok || read.value.type !== "finish") throw new Error("it is no finish");
      return read.value.finishes.map(({ id }) => Number(id));
    });
}

describe("the outcome of code in a thread", () => {
  test.each(["thread", "process"])(
    "or of another %s: the first leaves at once, those after it together, within 100 ms of the first of them",
    async (name) => {
      assign(20, name);
      await end(0);
      expect(records()).toEqual([[0]]);
      await after(90);
      await end(1);
      await after(45);
      await end(2);
      await after(45);
      await end(3);
      await after(9);
      expect(records()).toEqual([[0]]);
      await after(1);
      expect(records()).toEqual([[0], [1, 2, 3]]);
    },
  );

  test("leaves at once where they come rarely", async () => {
    assign(20);
    for (let number = 0; number < 4; number++) {
      await end(number);
      await after(101);
    }
    expect(records()).toEqual([[0], [1], [2], [3]]);
  });

  test("leaves with the others when what is queued here is no more than twice as many", async () => {
    assign(15);
    await end(0);
    for (let number = 1; number <= 3; number++) await end(number);
    // Nine are queued: four would be too many.
    expect(records()).toEqual([[0]]);
    await end(4);
    expect(records()).toEqual([[0], [1, 2, 3, 4]]);
  });

  test("leaves at once where nothing is queued here", async () => {
    assign(3);
    for (let number = 0; number < 3; number++) await end(number);
    expect(records()).toEqual([[0], [1], [2]]);
  });

  test("leaves with what may not wait: a task that was cancelled", async () => {
    assign(20);
    await end(0);
    await end(1);
    expect(records()).toEqual([[0]]);
    runner.cancel({ id: taskId(2), attempt: 1 }, null);
    await end(2, CANCELLED);
    const [, second] = records();
    expect(new Set(second)).toEqual(new Set([1, 2]));
  });

  test("does not wait while a worker that stops waits for the log", async () => {
    assign(20);
    await end(0);
    await end(1);
    const appended = runner.appended();
    await after(0);
    expect(records()).toEqual([[0], [1]]);
    await runner.close();
    await appended;
  });
});

test("a worker that closes while an outcome waits leaves it behind, and nothing comes after that", async () => {
  assign(20);
  await end(0);
  await end(1);
  await runner.close();
  await after(1_000);
  expect(records()).toEqual([[0]]);
});

test("an outcome of inline code never waits", async () => {
  assign(20, "inline");
  for (let number = 0; number < 4; number++) await end(number);
  expect(records()).toEqual([[0], [1], [2], [3]]);
});
