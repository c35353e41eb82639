/** Whether the cluster is as it was before a fault, by what is seen of it from outside. */
import { expect, test } from "vitest";
import { Calm, type Condition } from "./calm.ts";

const CALM: Condition = { log: { bytes: 100, bytesMax: 1_000 }, taskMs: 12 };

test("a cluster is calm where nothing is broken, the log has a leader and room, and a task is prompt", () => {
  expect(new Calm().unrest(CALM)).toBeNull();
  expect(new Calm().unrest({ ...CALM, taskMs: 999 })).toBeNull();
});

test.each<[string, Condition, string]>([
  ["the log has no leader", { ...CALM, log: null }, "the log has no leader among the NATS nodes"],
  ["the log is full", { ...CALM, log: { bytes: 1_000, bytesMax: 1_000 } }, "the log is full: 1000 of 1000"],
  ["clients hold back for it", { ...CALM, log: { bytes: 801, bytesMax: 1_000 } }, "the log is full: 801"],
  ["a task is late", { ...CALM, taskMs: 1_000 }, "a task took 1000 ms"],
  ["a task does not come back", { ...CALM, taskMs: null }, "a task did not come back"],
])("it is not where %s", (_, condition, unrest) => {
  expect(new Calm().unrest(condition)).toContain(unrest);
});

test("a log without a limit is never full", () => {
  expect(new Calm().unrest({ ...CALM, log: { bytes: 10_000, bytesMax: -1 } })).toBeNull();
});

test("it is not calm while something is broken, whatever it looks like", async () => {
  const calm = new Calm();
  await calm.during("worker 1", async () => expect(calm.unrest(CALM)).toBe("broken: worker 1"));
  expect(calm.unrest(CALM)).toBeNull();
});
