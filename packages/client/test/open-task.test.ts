/** A task on its way to the log. */
import { inspect } from "node:util";
import { InstanceId, Namespace, Sender, Subjects, type Submission, TaskName } from "@weft/protocol";
import { type Connection, systemClock, systemEntropy } from "@weft/transport";
import { expect, test } from "vitest";
import { heldBytes } from "../../testing/src/index.ts";
import { Client } from "../src/client.ts";
import { OpenTask, type OpenTaskHost } from "../src/open-task.ts";
import { id } from "./handle-host.ts";

const turn = (): Promise<void> => new Promise((next) => setImmediate(next));
const host = { accepted: () => undefined, abandoned: () => undefined } as unknown as OpenTaskHost;
const submission: Submission = {
  id,
  name: TaskName.parse("t"),
  args: new Uint8Array(1),
  dependsOn: [],
  options: null,
};
const openTask = (): OpenTask => new OpenTask(id, "t", host, submission);

test("is accepted once the log has it, for whoever asked before and whoever asks later", async () => {
  const task = openTask();
  const before = task.whenAccepted();
  expect(task.isAccepted).toBe(false);
  task.acknowledged(7);
  expect(task.isAccepted).toBe(true);
  await before;
  await task.whenAccepted();
});

test("is shown as the handle that it is", () => {
  expect(inspect(openTask())).toBe(`TaskHandle { id: '${id}', name: 't', outcome: null }`);
});

test("of another client is accepted from the start", async () => {
  await new OpenTask(id, null, host, null).whenAccepted();
});

test("that is given up says why to whoever asked before and whoever asks later, and to nobody else", async () => {
  const asked = openTask();
  const before = asked.whenAccepted();
  const alone = openTask();
  const error = new Error("closed");
  for (const task of [asked, alone]) task.abandoned(error);
  await expect(before).rejects.toBe(error);
  for (const task of [asked, alone]) await expect(task.whenAccepted()).rejects.toBe(error);
  await turn();
  expect(asked.isAccepted).toBe(false);
});

test("takes few bytes: there may be a million of them", () => {
  const ignored = { unsubscribe: () => undefined };
  const nats = {
    subscribe: () => ignored,
    publish: () => undefined,
    isClosed: () => true,
    async *status() {},
  };
  const connection = {
    nats,
    clock: systemClock,
    entropy: systemEntropy,
    sender: Sender.parse("client.c1"),
    instance: InstanceId.parse("c1"),
  } as unknown as Connection;
  const client = new Client(connection, new Subjects(Namespace.parse("default")), () => undefined);
  const tasks = 50_000;
  const listener = (): void => undefined;
  client.submit("t", "x".repeat(100)).onComplete(listener);
  const before = heldBytes();
  for (let n = 0; n < tasks; n++) client.submit("t", "x".repeat(100)).onComplete(listener);
  const after = heldBytes();
  // A handle, what is known of its task, its id, and their places in a map and a list.
  expect((after.heap - before.heap) / tasks).toBeLessThan(240);
  // What is on its way to the log is there once: 100 bytes of argument, an id of 22 and what is around them.
  expect((after.all - after.heap - before.all + before.heap) / tasks).toBeLessThan(200);
  client.close({ timeoutMs: 0 }).catch(() => undefined);
});
