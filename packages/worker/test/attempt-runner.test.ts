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
const SLOTS = 4;
const CREDITS = 2_000;
const MIB = 1024 ** 2;

test.each([
  { what: "results that the log does not take", tasks: 1_500, resultBytes: 60 * 1024, boundBytes: 64 * MIB },
  { what: "large results that are not stored", tasks: 30, resultBytes: 20 * MIB, boundBytes: 256 * MIB },
])("$what are bounded in bytes: at the bound it takes no work and begins none", async (given) => {
  const { tasks, resultBytes, boundBytes } = given;
  const bus = new FakeBus();
  const connection = { ...bus.connection("worker", bus.process("w1")), instance: "w1" as InstanceId };
  const appends: (() => void)[] = [];
  let isTaking = false;
  let seq = 0;
  const nats = {
    ...connection.nats,
    publish: (subject: string, _data: Uint8Array, options?: { readonly reply?: string }) => {
      const reply = options?.reply;
      if (reply === undefined) return;
      const stream = subject.includes(".blob.") ? subjects.blobStream(0) : subjects.stream(0);
      const acknowledge = (): void =>
        void bus.deliver(reply, Buffer.from(JSON.stringify({ stream, seq: ++seq })));
      if (isTaking) acknowledge();
      else appends.push(acknowledge);
    },
  };
  const registry = new TaskRegistry();
  const bytes = Buffer.alloc(resultBytes, 7);
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
  const turn = (): Promise<boolean> => bus.loop.play(bus.loop.nowMs);
  expect(runner.credits).toBe(CREDITS);
  runner.assign(Array.from({ length: tasks }, (_, i) => assignmentOf({ id: taskId(i), name: "large" })));
  runner.startNext();
  for (let i = 0; i < 1_500; i++) await turn();
  const finished = tasks - runner.attempts.queued().length;
  expect((finished + 1) * resultBytes).toBeGreaterThan(boundBytes);
  expect((finished - SLOTS) * resultBytes).toBeLessThan(boundBytes);
  expect([runner.credits, runner.attempts.running]).toEqual([0, 0]);

  isTaking = true;
  for (const acknowledge of appends.splice(0)) acknowledge();
  while (runner.attempts.size > 0) await turn();
  expect(runner.credits).toBe(CREDITS);
  // Those that were queued may fill it again, and it is not told for each that leaves.
  expect(told.slice(0, 2)).toEqual([0, CREDITS]);
  expect(told.length).toBeLessThanOrEqual(2 * Math.ceil((tasks * resultBytes) / (boundBytes / 4)));
  await runner.close();
});
