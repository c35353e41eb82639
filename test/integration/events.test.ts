/** What anybody with a NATS subscription sees of a cluster at work: JSON lines, named by subject. */
import { connect, type NatsConnection } from "@nats-io/transport-node";
import type { Client } from "@weft/client";
import { startTestCluster, type TestCluster, waitUntil } from "@weft/testing";
import { afterEach, beforeEach, expect, test } from "vitest";
import { echo, fail, hold } from "../fixtures/tasks.ts";

type Seen = { readonly subject: string; readonly line: Readonly<Record<string, unknown>> };

let cluster: TestCluster;
let watcher: NatsConnection;
let client: Client;
let seen: Seen[];

beforeEach(async () => {
  cluster = await startTestCluster();
  watcher = await connect({ servers: cluster.server.url });
  seen = [];
  for (const subject of ["weft.v1.default.event.>", "weft.v1.default.progress.>"]) {
    watcher.subscribe(subject, {
      callback: (_error, message) => {
        for (const line of message.string().split("\n")) {
          if (line !== "")
            seen.push({ subject: message.subject.replace("weft.v1.default.", ""), line: JSON.parse(line) });
        }
      },
    });
  }
  await watcher.flush();
  await cluster.worker({ tasks: { echo, fail, hold }, slots: 2 });
  client = await cluster.client();
});
afterEach(async () => {
  await watcher.close();
  await cluster.stop();
});

const subjectsOf = (id: string): string[] =>
  seen.filter(({ line }) => line.id === id).map(({ subject }) => subject.replace("event.task.", ""));
const story = (): string => seen.map((each) => JSON.stringify(each)).join("\n");
const seenOf = (subject: string): Promise<Seen> =>
  waitUntil(() => seen.find((each) => each.subject === subject), { what: subject, story });

test("a task is told from its submission to its outcome, with its name in the subject", async () => {
  const done = client.submit("echo", 1);
  const failed = client.submit("fail", "no");
  const behind = client.submit("echo", 1, { dependsOn: [failed] });
  await Promise.all([done.settled(), failed.settled(), behind.settled()]);
  await waitUntil(() => subjectsOf(behind.id).includes("failed.echo"), { story });
  await waitUntil(() => subjectsOf(done.id).includes("succeeded.echo"), { story });
  expect(subjectsOf(done.id).toSorted()).toEqual([
    "dispatched.echo",
    "released.echo",
    "submitted.echo",
    "succeeded.echo",
  ]);
  expect(subjectsOf(failed.id)).toContain("failed.fail");
  expect(seen.find(({ line }) => line.id === behind.id && line.state === "failed")?.line).toEqual({
    at: expect.stringMatching(/^\d{4}-\d\d-\d\dT.*Z$/),
    id: behind.id,
    name: "echo",
    state: "failed",
    attempt: 1,
    because: "dependency_failed",
  });
  const dispatched = seen.find(({ line, subject }) => line.id === done.id && subject.includes("dispatched"));
  expect(dispatched?.line.worker).toMatch(/^worker\./);
});

test("progress has the task's id in its subject and what was reported in its line", async () => {
  const held = client.submit("hold");
  const { line } = await seenOf(`progress.client.${held.id}`);
  expect(line).toMatchObject({ task: held.id, attempt: 1, fraction: 0.5, message: "holding" });
  await held.cancel("enough");
  await waitUntil(() => subjectsOf(held.id).includes("cancelled.hold"), { story });
  expect(subjectsOf(held.id)).toContain("cancelling.hold");
});

test("workers are told as they come, drain and go", async () => {
  expect((await seenOf("event.worker.joined")).line).toMatchObject({
    worker: expect.stringMatching(/^worker\./),
    slots: 2,
    names: expect.arrayContaining(["echo"]),
  });
  const second = await cluster.worker({ tasks: { echo } });
  await waitUntil(
    () => seen.some(({ line, subject }) => subject === "event.worker.joined" && line.worker === second.name),
    { story },
  );
  await second.stop();
  for (const kind of ["draining", "left"]) {
    expect((await seenOf(`event.worker.${kind}`)).line.worker).toBe(second.name);
  }
});

test("coordinators are told as they are elected and resign", async () => {
  const first = cluster.leader();
  const standby = await cluster.coordinator();
  await first.stop();
  await standby.untilLeading();
  expect((await seenOf("event.coordinator.resigned")).line).toMatchObject({
    coordinator: first.name,
    pid: process.pid,
  });
  await waitUntil(
    () =>
      seen.some(
        (each) => each.subject === "event.coordinator.elected" && each.line.coordinator === standby.name,
      ),
    { story },
  );
});

test("a name of a task cannot smuggle a token into a subject or a line into an event", async () => {
  expect(() => client.submit("a.b", 1)).toThrow(/task name/);
  const failed = client.submit("fail", 'line\nbreak"');
  await failed.settled();
  await waitUntil(() => subjectsOf(failed.id).includes("failed.fail"), { story });
  expect(seen.every(({ line }) => typeof line.at === "string" || typeof line.task === "string")).toBe(true);
});
