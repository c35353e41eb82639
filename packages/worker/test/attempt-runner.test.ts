/** What a worker does with results that the log does not take, on simulated time. */
import { type InstanceId, Namespace, Subjects } from "@weft/protocol";
import { expect, test } from "vitest";
import { FakeBus } from "../../testing/src/simulation/fake-bus.ts";
import { AttemptRunner } from "../src/attempt-runner.ts";
import { NO_ENTRY } from "../src/begun-table.ts";
import type { Executor } from "../src/executors/executor.ts";
import { inlineExecutor } from "../src/executors/inline.ts";
import { defineTask } from "../src/index.ts";
import { TaskRegistry } from "../src/task-registry.ts";
import { assignmentOf, taskId } from "./assignment.ts";

const subjects = new Subjects(Namespace.parse("default"));
/** As large as travels in a record. */
const LARGE_BYTES = 60 * 1024;
const TASKS = 1_500;
const SLOTS = 4;
const CREDITS = 2_000;

test("results that the log does not take are bounded in bytes: at the bound it takes no work and begins none", async () => {
  const bus = new FakeBus();
  const connection = { ...bus.connection("worker", bus.process("w1")), instance: "w1" as InstanceId };
  const appends: string[] = [];
  let isTaking = false;
  let seq = 0;
  const acknowledge = (reply: string): void => {
    bus.deliver(reply, Buffer.from(JSON.stringify({ stream: subjects.stream(0), seq: ++seq })));
  };
  const nats = {
    ...connection.nats,
    publish: (subject: string, _data: Uint8Array, options?: { readonly reply?: string }) => {
      if (!subject.includes(".finish.") || options?.reply === undefined) return;
      if (isTaking) acknowledge(options.reply);
      else appends.push(options.reply);
    },
  };
  const registry = new TaskRegistry();
  const bytes = Buffer.alloc(LARGE_BYTES, 7);
  registry.addModule({ large: defineTask("large", () => bytes) }, null, "tasks");
  const never: Executor = {
    run: () => {
      throw new Error("a test of inline code");
    },
    close: async () => undefined,
  };
  const told: number[] = [];
  const runner: AttemptRunner = new AttemptRunner({
    connection: { ...connection, nats: nats as unknown as typeof connection.nats },
    executors: { inline: inlineExecutor(), thread: never, process: never },
    subjects,
    registry,
    slots: SLOTS,
    prefetch: CREDITS - SLOTS,
    cancelGraceMs: 1_000,
    log: () => undefined,
    onBegin: () => NO_ENTRY,
    onCredits: () => void told.push(runner.credits),
    isHeld: () => false,
    onTaskLog: () => undefined,
  });
  const turn = (): Promise<void> => new Promise((over) => setImmediate(over));
  expect(runner.credits).toBe(CREDITS);
  runner.assign(Array.from({ length: TASKS }, (_, i) => assignmentOf({ id: taskId(i), name: "large" })));
  runner.startNext();
  for (let i = 0; i < 1_500; i++) await turn();
  const finished = TASKS - runner.attempts.queued().length;
  expect((finished + 1) * LARGE_BYTES).toBeGreaterThan(64 * 1024 * 1024);
  expect((finished - SLOTS) * LARGE_BYTES).toBeLessThan(64 * 1024 * 1024);
  expect([runner.credits, runner.attempts.running]).toEqual([0, 0]);

  isTaking = true;
  for (const reply of appends.splice(0)) acknowledge(reply);
  for (let i = 0; i < 500; i++) await turn();
  expect(runner.attempts.size).toBe(0);
  expect(runner.credits).toBe(CREDITS);
  expect(told).toEqual([0, CREDITS]);
  await runner.close();
});
