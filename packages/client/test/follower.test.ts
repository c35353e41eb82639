/** What a client finds out when words of the leader are lost: with a leader of the test's own, on simulated time. */
import {
  decodeAsk,
  type Expiry,
  encodeClientMessage,
  encodeHello,
  encodeReply,
  Namespace,
  type Sender,
  type SettledTask,
  Subjects,
  TaskId,
  TaskName,
} from "@weft/protocol";
import { beforeEach, expect, test } from "vitest";
import { FakeBus } from "../../testing/src/simulation/fake-bus.ts";
import type { SimProcess } from "../../testing/src/simulation/sim-process.ts";
import { type Followed, Follower } from "../src/follower.ts";

const subjects = new Subjects(Namespace.parse("default"));
const client = "client.c1" as Sender;
const idOf = (n: number): TaskId => TaskId.parse(`00aaaa${String(n).padStart(16, "0")}`);

class Bench {
  readonly bus = new FakeBus();
  readonly process: SimProcess;
  readonly settled: TaskId[] = [];
  readonly follower: Follower;
  /** What the leader knows: settled tasks, and those that it was asked for. */
  readonly done = new Set<TaskId>();
  /** What it does not know. */
  readonly unknown = new Map<TaskId, Expiry>();
  readonly errors: string[] = [];
  asked = 0;
  holds = 0;
  epoch = 5;
  number = 0;
  answers = true;

  constructor() {
    const leader = this.bus.connection("coordinator", this.bus.process("leader"));
    leader.nats.subscribe(subjects.askAll(0), {
      callback: (_, message) => {
        const read = decodeAsk(message.data);
        if (!read.ok || read.value.question.type !== "states" || !this.answers) return;
        const { ids } = read.value.question;
        this.asked += ids.length;
        const states = ids.map((id) =>
          this.done.has(id)
            ? { type: "settled" as const, task: settledTask(id) }
            : this.unknown.has(id)
              ? { type: "unknown" as const, id, expired: this.unknown.get(id) ?? "no" }
              : { type: "live" as const, id, state: "released" as const, attempt: 1 },
        );
        message.respond(encodeReply({ epoch: this.epoch, foldedSeq: 1, answer: { type: "states", states } }));
      },
    });
    this.process = this.bus.process("c1");
    this.follower = new Follower({
      connection: this.bus.connection("client", this.process),
      subjects,
      onHold: () => void this.holds++,
      onError: (error) => {
        throw error;
      },
    });
  }

  followed(id: TaskId): Followed {
    return {
      id,
      watchesBefore: 0,
      isAccepted: true,
      ended: (task) => void this.settled.push(task.id),
      unknown: ({ name }) => void this.errors.push(name),
      unreadable: () => undefined,
    };
  }

  open(...ids: TaskId[]): void {
    for (const id of ids) this.follower.add(this.followed(id));
    this.follower.acknowledged(1);
  }

  /** A batch of the leader, which may be lost. */
  settle(ids: readonly TaskId[], lost = false): void {
    for (const id of ids) this.done.add(id);
    this.number++;
    if (!lost) this.say(ids.map(settledTask));
  }

  /** Its last number, as each second. */
  sync(): void {
    this.say([]);
  }

  async seconds(count: number): Promise<void> {
    for (let i = 0; i < count; i++) {
      this.sync();
      await this.bus.loop.play(this.bus.loop.nowMs + 1_000);
    }
  }

  private say(settled: SettledTask[]): void {
    const { epoch, number } = this;
    this.bus.deliver(subjects.client(client), encodeClientMessage({ epoch, number, settled }));
  }
}

function settledTask(id: TaskId): SettledTask {
  return {
    id,
    name: TaskName.parse("echo"),
    outcome: "succeeded",
    attempt: 1,
    tries: 1,
    progress: null,
    value: null,
    fetch: false,
    reason: null,
  };
}

let bench: Bench;
beforeEach(() => {
  bench = new Bench();
});

test("the very first batch that is lost shows with the next number, though nothing was heard before", async () => {
  bench.open(idOf(1), idOf(2));
  bench.settle([idOf(1)], true);
  await bench.seconds(1);
  expect(bench.settled).toEqual([idOf(1)]);
});

test.each([1, 2, 3, 4, 5])("batch %i of five that is lost shows with the next number", async (lost) => {
  const ids = Array.from({ length: 6 }, (_, i) => idOf(i));
  bench.open(...ids);
  await bench.seconds(1);
  for (let i = 1; i <= 5; i++) bench.settle([idOf(i - 1)], i === lost);
  await bench.seconds(1);
  expect(bench.settled.toSorted()).toEqual(ids.slice(0, 5));
});

test("a task whose acceptance comes behind the gap is asked for within 10 s, however much is heard", async () => {
  bench.open(idOf(1));
  await bench.seconds(1);
  const task = { ...bench.followed(idOf(2)), isAccepted: false };
  bench.follower.add(task);
  bench.settle([idOf(2)], true);
  await bench.seconds(1);
  expect(bench.settled).toEqual([]);
  task.isAccepted = true;
  bench.follower.acknowledged(2);
  await bench.seconds(10);
  expect(bench.settled).toEqual([idOf(2)]);
});

test("a client that waits for nothing is not woken, and one that waits again is told what it missed", async () => {
  bench.open(idOf(1));
  bench.settle([idOf(1)]);
  const { loop } = bench.bus;
  await loop.play(loop.nowMs + 1_000);
  const before = loop.played;
  await loop.play(loop.nowMs + 60_000);
  expect(loop.played).toBe(before);
  bench.open(idOf(2));
  bench.settle([idOf(2)], true);
  await loop.play(loop.nowMs + 5_000);
  expect(bench.settled).toEqual([idOf(1), idOf(2)]);
});

test("an id that has expired is told at once; one that is not known, or may have expired, after a minute", async () => {
  for (const [n, expired] of (["no", "maybe", "yes"] as const).entries()) bench.unknown.set(idOf(n), expired);
  bench.open(idOf(2));
  await bench.seconds(6);
  expect(bench.errors).toEqual(["ResultExpiredError"]);
  bench.open(idOf(0), idOf(1));
  await bench.seconds(50);
  expect(bench.errors).toEqual(["ResultExpiredError"]);
  await bench.seconds(20);
  expect(bench.errors).toEqual(["ResultExpiredError", "UnknownTaskError", "ResultExpiredError"]);
});

test("a task that is not old is not asked for, whatever was open before it", async () => {
  bench.open(idOf(1));
  await bench.seconds(1);
  for (let n = 2; n < 60; n++) {
    bench.settle([idOf(n - 1)]);
    bench.open(idOf(n));
    bench.asked = 0;
    await bench.seconds(1);
    expect(bench.asked).toBe(0);
  }
});

test("of many old tasks some are asked for each five seconds, all of them in turn", async () => {
  const ids = Array.from({ length: 12_000 }, (_, i) => idOf(i));
  bench.open(...ids);
  await bench.seconds(2);
  bench.asked = 0;
  await bench.seconds(5);
  expect(bench.asked).toBeLessThanOrEqual(5_000);
  for (const id of ids) bench.done.add(id);
  await bench.seconds(20);
  expect(bench.settled).toHaveLength(12_000);
});

test("a new leader is asked at once, and one with a lower epoch once the other is silent", async () => {
  bench.open(idOf(1));
  await bench.seconds(2);
  bench.done.add(idOf(1));
  bench.epoch = 9;
  bench.number = 0;
  const hello = encodeHello({ partition: 0, epoch: 9, leader: "coordinator.leader" as Sender, hold: false });
  bench.bus.deliver(subjects.hello(0), hello);
  await bench.bus.loop.play(bench.bus.loop.nowMs + 10);
  expect(bench.settled).toEqual([idOf(1)]);
  // The log is made anew.
  bench.epoch = 2;
  bench.open(idOf(2));
  bench.settle([idOf(2)], true);
  await bench.seconds(6);
  expect(bench.settled).toEqual([idOf(1), idOf(2)]);
});

test("a client that was held up reads what it was told meanwhile, and does not take it for silence", async () => {
  bench.open(idOf(1));
  bench.settle([idOf(1)]);
  await bench.seconds(2);
  bench.asked = 0;
  // For longer than silence lasts, and not so long that they are asked for as old ones.
  bench.open(idOf(2), idOf(3));
  bench.process.freeze(3_700);
  // Its own look is due before the first word that it hears.
  await bench.bus.loop.play(bench.bus.loop.nowMs + 600);
  await bench.seconds(4);
  expect(bench.asked).toBe(0);
});

test("while nobody answers nothing settles, and everything as soon as somebody does", async () => {
  bench.open(idOf(1));
  bench.answers = false;
  bench.done.add(idOf(1));
  await bench.bus.loop.play(60_000);
  expect(bench.settled).toEqual([]);
  bench.answers = true;
  await bench.bus.loop.play(70_000);
  expect(bench.settled).toEqual([idOf(1)]);
});

test("a leader that asks to hold back is heeded however often it says so, one that is deposed is not", async () => {
  bench.open(idOf(1));
  await bench.seconds(2);
  const tell = (epoch: number): void => {
    const leader = "coordinator.leader" as Sender;
    bench.bus.deliver(subjects.hello(0), encodeHello({ partition: 0, epoch, leader, hold: true }));
  };
  for (const epoch of [9, 9, 4]) tell(epoch);
  await bench.bus.loop.play(bench.bus.loop.nowMs + 10);
  expect(bench.holds).toBe(2);
});
