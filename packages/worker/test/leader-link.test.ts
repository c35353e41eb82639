/** Which messages a worker takes, and when it stops what it runs: with a leader of the test's own, on simulated time. */
import {
  type Assignment,
  type AttemptRef,
  encodeHello,
  encodeWorkerMessage,
  Identity,
  Namespace,
  type Sender,
  Subjects,
  TaskName,
  type WorkerMessage,
} from "@weft/protocol";
import { Pace } from "@weft/transport";
import { beforeEach, describe, expect, test } from "vitest";
import { FakeBus } from "../../testing/src/simulation/fake-bus.ts";
import type { SimProcess } from "../../testing/src/simulation/index.ts";
import type { AttemptRunner } from "../src/attempt-runner.ts";
import { Attempts } from "../src/core/attempts.ts";
import { LeaderLink } from "../src/leader-link.ts";
import { Stall } from "../src/stall.ts";
import { taskId } from "./assignment.ts";

const subjects = new Subjects(Namespace.parse("default"));
const worker = "worker.w1" as Sender;

let bus: FakeBus;
let process: SimProcess;
let link: LeaderLink;
let assigned: number[];
let aborted: AttemptRef[];
let abandoned: number;

beforeEach(() => {
  bus = new FakeBus();
  process = bus.process("w1");
  assigned = [];
  aborted = [];
  abandoned = 0;
  const runner = {
    attempts: new Attempts(1, 3),
    appendedSeq: 0,
    credits: 3,
    reviewCredits: () => false,
    assign: (items: readonly Assignment[]) => void assigned.push(...items.map(({ attempt }) => attempt)),
    abort: (ref: AttemptRef) => void aborted.push(ref),
    cancel: () => undefined,
    startNext: () => undefined,
    abandonAll: () => void abandoned++,
  };
  link = new LeaderLink({
    connection: bus.connection("worker", process),
    subjects,
    pace: new Pace({ clock: process.clock, isBusy: () => runner.attempts.size > 0 }),
    onTurn: () => undefined,
    runner: runner as unknown as AttemptRunner,
    names: [],
    labels: [],
    cutOffMs: 10_000,
    log: () => undefined,
  });
});

function say(epoch: number, number: number, more: Partial<WorkerMessage> = {}): void {
  bus.deliver(
    subjects.worker(worker),
    encodeWorkerMessage({ epoch, number, assignments: [], cancels: [], aborts: [], ...more }),
  );
}

/** An assignment that is known by its attempt. */
function assign(epoch: number, number: number, attempt: number): void {
  say(epoch, number, {
    assignments: [
      {
        id: taskId(1),
        attempt,
        name: TaskName.parse("echo"),
        owner: Identity.parse("client"),
        args: new Uint8Array(1),
        deps: null,
        traceparent: null,
        timeoutMs: null,
      },
    ],
  });
}

const pass = (ms: number): Promise<boolean> => bus.loop.play(bus.loop.nowMs + ms);

async function leaderSpeaks(seconds: number): Promise<void> {
  for (let i = 0; i < seconds; i++) {
    say(5, 100 + i);
    await pass(1_000);
  }
}

describe("an assignment", () => {
  test("that comes behind a later message is not taken: the leader has sent it again by then", () => {
    assign(5, 1, 1);
    say(5, 3);
    assign(5, 2, 2);
    assign(5, 4, 3);
    expect(assigned).toEqual([1, 3]);
  });

  test("that comes twice is taken once", () => {
    assign(5, 1, 1);
    assign(5, 1, 1);
    expect(assigned).toEqual([1]);
  });

  test("of an older leader is not taken, until the newer one has been silent for a lease", async () => {
    say(5, 1);
    assign(3, 1, 1);
    await pass(9_000);
    assign(3, 2, 2);
    expect(assigned).toEqual([]);
    await pass(1_500);
    assign(3, 3, 3);
    expect(assigned).toEqual([3]);
    // The log was made anew: its leader counts from now on.
    assign(3, 4, 4);
    expect(assigned).toEqual([3, 4]);
  });

  test("of a newer leader is taken at once, under numbers that begin anew", () => {
    say(5, 40);
    const hello = encodeHello({ partition: 0, epoch: 6, leader: "coordinator.c" as Sender, hold: false });
    bus.deliver(subjects.hello(0), hello);
    assign(6, 1, 1);
    assign(5, 41, 2);
    expect(assigned).toEqual([1]);
  });
});

describe("what runs is stopped", () => {
  test("once the connection has been down for 10 s, and not before", async () => {
    await leaderSpeaks(3);
    link.disconnected();
    await pass(9_700);
    expect(abandoned).toBe(0);
    await pass(600);
    expect(abandoned).toBe(1);
    await pass(60_000);
    expect(abandoned).toBe(1);
    link.reconnected();
    link.disconnected();
    await pass(10_300);
    expect(abandoned).toBe(2);
  });

  test("neither for want of a leader, nor for a pause of the whole process", async () => {
    await pass(120_000);
    process.freeze(60_000);
    await pass(60_100);
    link.disconnected();
    await pass(5_000);
    expect(abandoned).toBe(0);
  });
});

describe("after a stall", () => {
  let over: number;
  let stall: Stall;
  beforeEach(() => {
    over = 0;
    stall = new Stall({ clock: process.clock, ask: () => link.check(), onOver: () => void over++ });
  });

  test("of less than 4 s nothing is asked", async () => {
    await pass(1_000);
    process.freeze(3_500);
    await pass(3_600);
    expect(stall.isHolding(process.clock.nowMs())).toBe(false);
  });

  test("of 5 s nothing begins before the leader has answered, which comes behind its aborts", async () => {
    const order: string[] = [];
    const leader = bus.connection("coordinator", bus.process("leader"));
    leader.nats.subscribe(subjects.presenceAll(), {
      callback: (_, message) => {
        if (message.reply === undefined) return;
        leader.clock.after(5, () => {
          say(5, 200, { aborts: [{ id: taskId(1), attempt: 1 }] });
          order.push(`aborted ${aborted.length}, holding ${stall.isHolding(process.clock.nowMs())}`);
          message.respond();
        });
      },
    });
    await pass(1_000);
    process.freeze(5_000);
    await pass(5_002);
    expect(stall.isHolding(process.clock.nowMs())).toBe(true);
    await pass(1_000);
    expect(order).toEqual(["aborted 1, holding true"]);
    expect(stall.isHolding(process.clock.nowMs())).toBe(false);
    expect(over).toBe(1);
  });

  test("it goes on at once where there is no coordinator, and after a while where none answers", async () => {
    process.freeze(5_000);
    await pass(5_050);
    expect(over).toBe(1);
    bus
      .connection("coordinator", bus.process("standby"))
      .nats.subscribe(subjects.presenceAll(), { callback: () => undefined });
    process.freeze(5_000);
    await pass(5_050);
    expect(stall.isHolding(process.clock.nowMs())).toBe(true);
    await pass(3_000);
    expect(over).toBe(2);
  });
});
