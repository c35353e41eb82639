/** Plain NATS may lose any message. Here each kind is lost once, exactly that one, and nothing comes of it. */
import { connect as connectNats } from "@nats-io/transport-node";
import {
  type AttemptRef,
  decodeClientMessage,
  decodeWorkerMessage,
  encodePresence,
  Namespace,
  type Presence,
  type Sender,
  Subjects,
  type TaskId,
  TaskName,
  type WorkerMessage,
} from "@weft/protocol";
import { startTestCluster, type TestCluster, waitUntil } from "@weft/testing";
import { afterEach, beforeEach, expect, test } from "vitest";
import { Client } from "../../packages/client/src/client.ts";
import { inlineExecutor } from "../../packages/worker/src/executors/inline.ts";
import { defineTask, Worker } from "../../packages/worker/src/index.ts";
import { TaskRegistry } from "../../packages/worker/src/task-registry.ts";
import { type Lossy, lossyConnection } from "../fixtures/lossy.ts";

const subjects = new Subjects(Namespace.parse("default"));
const runs: unknown[] = [];
const tasks = {
  note: defineTask("note", (input: unknown) => {
    runs.push(input);
    return input;
  }),
  hold: defineTask("hold", async (_input: undefined, ctx) => {
    ctx.progress(0.5);
    await new Promise((_, reject) => {
      ctx.signal.addEventListener("abort", () => reject(ctx.signal.reason));
    });
  }),
};
let cluster: TestCluster;

beforeEach(async () => {
  runs.length = 0;
  cluster = await startTestCluster();
});
afterEach(() => cluster.stop());

async function worker(): Promise<Lossy & AsyncDisposable> {
  const lossy = await lossyConnection("worker", cluster.server.url);
  const registry = new TaskRegistry();
  registry.addModule(tasks, null, "the tasks of this test");
  const made = new Worker({
    connection: lossy.connection,
    subjects,
    registry,
    options: { slots: 2, prefetch: 2 },
    executors: { inline: inlineExecutor(), thread: inlineExecutor(), process: inlineExecutor() },
    liveness: null,
  });
  return { ...lossy, [Symbol.asyncDispose]: () => made.stop({ graceMs: 0 }) };
}

const holding =
  (what: (message: WorkerMessage) => readonly unknown[]) =>
  (_subject: string, data: Uint8Array): boolean => {
    const read = decodeWorkerMessage(data);
    return read.ok && what(read.value).length > 0;
  };

test("an assignment that is lost is sent again, under its number, and runs once", async () => {
  await using lossy = await worker();
  const weft = await cluster.client();
  lossy.loseNext(holding(({ assignments }) => assignments));
  expect(await weft.submit("note", "once").settled()).toMatchObject({ outcome: "succeeded", attempt: 1 });
  expect(lossy.lost()).toBe(1);
  expect(runs).toEqual(["once"]);
});

test("a cancel that is lost is sent again", async () => {
  await using lossy = await worker();
  const weft = await cluster.client();
  const held = weft.submit("hold");
  await new Promise<void>((begun) => {
    held.onProgress(() => begun());
  });
  lossy.loseNext(holding(({ cancels }) => cancels));
  await held.cancel();
  expect(await held.settled()).toMatchObject({ outcome: "cancelled" });
  expect(lossy.lost()).toBe(1);
});

test("a batch of settled tasks that is lost is asked for, the first of all too", async () => {
  await using _worker = await worker();
  const lossy = await lossyConnection("client", cluster.server.url);
  await using weft = new Client(lossy.connection, subjects, (error) => {
    throw error;
  });
  for (let round = 1; round <= 3; round++) {
    lossy.loseNext((_, data) => {
      const read = decodeClientMessage(data);
      return read.ok && read.value.settled.length > 0;
    });
    // Others stay open, so that the leader goes on speaking.
    const held = weft.submit("hold");
    expect(await weft.submit("note", round).result()).toBe(round);
    expect(lossy.lost()).toBe(round);
    await held.cancel();
    await held.settled();
  }
  expect(runs).toEqual([1, 2, 3]);
});

/** A worker that says what the test wants, and never does anything. */
class SpokenWorker implements AsyncDisposable {
  readonly sender: Sender;
  readonly messages: WorkerMessage[] = [];
  held: readonly AttemptRef[] = [];
  private readonly nats: Awaited<ReturnType<typeof connectNats>>;

  private constructor(nats: Awaited<ReturnType<typeof connectNats>>, name: string) {
    this.nats = nats;
    this.sender = `worker.${name}` as Sender;
    nats.subscribe(subjects.worker(this.sender), {
      callback: (_, { data }) => {
        const read = decodeWorkerMessage(data);
        if (read.ok) this.messages.push(read.value);
      },
    });
  }

  static async start(name: string): Promise<SpokenWorker> {
    return new SpokenWorker(await connectNats({ servers: cluster.server.url }), name);
  }

  say(more: Partial<Presence> = {}): void {
    const last = this.messages.at(-1);
    const presence: Presence = {
      state: "ready",
      slots: 1,
      credits: 1,
      names: [TaskName.parse("note")],
      labels: [],
      host: "h",
      pid: 1,
      startedAtMs: 0,
      held: this.held,
      running: 0,
      graceMs: 0,
      epoch: last?.epoch ?? 0,
      seen: last?.number ?? 0,
      appendedSeq: 0,
      ...more,
    };
    this.nats.publish(subjects.presence(this.sender), encodePresence(presence));
  }

  aborts(id: TaskId): number {
    return this.messages.flatMap(({ aborts }) => aborts).filter((each) => each.id === id).length;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.nats.close();
  }
}

test("of two that claim one attempt the first keeps it, and the other is told to abort until it does", async () => {
  await using first = await SpokenWorker.start("first");
  await using second = await SpokenWorker.start("second");
  const weft = await cluster.client();
  const { id } = weft.submit("note", "claimed");
  first.say();
  await waitUntil(() => first.messages.length > 0);
  first.say();
  const assigned = await waitUntil(() => first.messages.flatMap(({ assignments }) => assignments)[0]);
  first.held = [{ id, attempt: assigned.attempt }];
  first.say();
  second.say();
  await waitUntil(() => second.messages.length > 0);
  second.held = first.held;
  second.say();
  await waitUntil(() => second.aborts(id) === 1);
  // The word may be lost: it is said again as long as the attempt is claimed.
  second.say();
  await waitUntil(() => second.aborts(id) === 2);
  second.held = [];
  // Who has not seen all is told its number within a second; what else there was to say is said before that.
  second.say({ seen: 0 });
  first.say({ seen: 0 });
  await waitUntil(() => first.messages.length > 2 && second.messages.length > 3);
  expect(first.aborts(id)).toBe(0);
  expect(second.messages.flatMap(({ assignments }) => assignments)).toEqual([]);
});

test("what the leader says to a worker that comes back goes on in its numbers", async () => {
  await using spoken = await SpokenWorker.start("again");
  spoken.say();
  await waitUntil(() => spoken.messages.length > 0);
  spoken.say({ seen: 0 });
  await waitUntil(() => spoken.messages.length > 1);
  spoken.say({ state: "left" });
  const before = spoken.messages.at(-1)?.number ?? 0;
  spoken.say();
  await waitUntil(() => spoken.messages.at(-1)?.number !== before);
  expect(spoken.messages.at(-1)?.number).toBe(before + 1);
});
