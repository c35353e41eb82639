/** How often a leader tells a worker its last number. */
import { decodeWorkerMessage, Namespace, type Sender, Subjects, TaskId } from "@weft/protocol";
import { beforeEach, expect, test } from "vitest";
import { FakeBus } from "../../testing/src/simulation/fake-bus.ts";
import type { Ledger } from "../src/core/ledger/index.ts";
import type { Scheduler } from "../src/core/scheduler/index.ts";
import { Dispatcher } from "../src/shell/dispatcher.ts";
import type { ValueStore } from "../src/shell/value-store.ts";

const subjects = new Subjects(Namespace.parse("default"));
const worker = "worker.w1" as Sender;
const attempt = { id: TaskId.parse("00aaaa0000000000000001"), attempt: 1 };

let bus: FakeBus;
let dispatcher: Dispatcher;
beforeEach(() => {
  bus = new FakeBus();
  const { nats, clock } = bus.connection("coordinator", bus.process("leader"));
  dispatcher = new Dispatcher({
    nats,
    clock,
    subjects,
    ledger: {} as unknown as Ledger,
    scheduler: {} as unknown as Scheduler,
    values: {} as unknown as ValueStore,
    epoch: 1,
    onFailed: (error) => {
      throw error;
    },
  });
});

/** The numbers of the messages that were sent since. */
function numbers(): number[] {
  return bus.published.splice(0).map(({ data }) => {
    const read = decodeWorkerMessage(data);
    if (!read.ok) throw new Error(read.kind);
    return read.value.number;
  });
}

async function second(seen: number): Promise<void> {
  dispatcher.syncIfDue(worker, seen);
  await bus.loop.play(bus.loop.nowMs + 1_000);
}

test("a worker that has not said that it has the last message is told a number each second", async () => {
  dispatcher.abort(worker, attempt);
  dispatcher.flush();
  for (let i = 0; i < 5; i++) await second(0);
  expect(numbers()).toEqual([1, 2, 3, 4, 5, 6]);
});

test("one that has said so is told each five seconds that it is heard, and at once again what may be lost", async () => {
  let seen = 0;
  for (let i = 0; i < 11; i++) {
    await second(seen);
    seen = numbers().at(-1) ?? seen;
  }
  // At the beginning, after five seconds, and after ten.
  expect(seen).toBe(3);
  dispatcher.abort(worker, attempt);
  dispatcher.flush();
  await second(seen);
  expect(numbers()).toEqual([4, 5]);
});
