/** What `weft events` makes of the lines that coordinators publish. */
import { Namespace, Subjects, TaskName } from "@weft/protocol";
import { expect, test } from "vitest";
import { FakeBus } from "../../testing/src/simulation/fake-bus.ts";
import type { Cluster } from "../src/cluster.ts";
import { describeEvent, readEvents } from "../src/cluster-event.ts";
import { EventFeed, type EventFilter, NO_FILTER } from "../src/event-feed.ts";

const subjects = new Subjects(Namespace.parse("default"));
const SUCCEEDED = subjects.taskEvent("succeeded", TaskName.parse("add"));
const AT = "2026-01-02T03:04:05.678Z";

const bytesOf = (...lines: readonly object[]): Uint8Array =>
  Buffer.from(lines.map((line) => `${JSON.stringify({ at: AT, ...line })}\n`).join(""));

const told = (subject: string, ...lines: readonly object[]): readonly string[] =>
  readEvents(subject, bytesOf(...lines)).map((event) => describeEvent(event, () => undefined));

test("how many events were omitted is told, and of which tasks", () => {
  expect(
    told(SUCCEEDED, { id: "t1", name: "add", state: "succeeded", attempt: 2 }, { omitted: 500 }),
  ).toEqual([`${AT} task add t1 succeeded (attempt 2)`, `${AT} task add succeeded: 500 events omitted`]);
  expect(told(SUCCEEDED, { omitted: 1 })).toEqual([`${AT} task add succeeded: 1 event omitted`]);
});

test("lines that are no events are passed over", () => {
  expect(told(SUCCEEDED, {}, { omitted: "all" })).toEqual([]);
  expect(told("weft.v1.default.event.worker.joined", { omitted: 3 })).toEqual([]);
  expect(readEvents(SUCCEEDED, Buffer.from("{\n[]\n7\n"))).toEqual([]);
});

test.each<[string, EventFilter, boolean]>([
  ["without a filter", NO_FILTER, true],
  ["for its task and state", { task: "add", states: ["failed", "succeeded"] }, true],
  ["for another task", { task: "sub", states: [] }, false],
  ["for another state", { task: null, states: ["failed"] }, false],
])("what was omitted passes a filter as the events would have: %s", async (_, filter, passes) => {
  const bus = new FakeBus();
  const connection = bus.connection("cli", bus.process("c1"));
  const nats = { ...connection.nats, flush: async () => undefined };
  const cluster = { connection: { ...connection, nats }, subjects } as unknown as Cluster;
  const types: string[] = [];
  await new EventFeed(cluster, filter, ({ type }) => types.push(type)).start();
  bus.deliver(SUCCEEDED, bytesOf({ omitted: 7 }));
  expect(types).toEqual(passes ? ["omitted"] : []);
});
