/** Events are written down where somebody listens, whole and in order, and nowhere else. */
import { Namespace, Subjects, TaskId, TaskName } from "@weft/protocol";
import { beforeEach, expect, test } from "vitest";
import { FakeBus } from "../../testing/src/simulation/fake-bus.ts";
import type { SimProcess } from "../../testing/src/simulation/sim-process.ts";
import { EventOutlet } from "../src/shell/event-outlet.ts";

const subjects = new Subjects(Namespace.parse("default"));
const name = TaskName.parse("echo");
const SUBMITTED = subjects.taskEvent("submitted", name);
const SUCCEEDED = subjects.taskEvent("succeeded", name);

let bus: FakeBus;
let events: EventOutlet;
let watcher: SimProcess;
/** The attempts of those that came, and how many are said to be missing. */
let heard: (number | { readonly omitted: number })[];
beforeEach(() => {
  bus = new FakeBus();
  events = new EventOutlet(bus.connection("coordinator", bus.process("leader")), subjects);
  watcher = bus.process("watcher");
  heard = [];
});

function listen(subject: string, answer = false): void {
  bus.connection("monitor", watcher).nats.subscribe(subject, {
    callback: (_error, message) => {
      const lines = String(message.data).trimEnd().split("\n");
      for (const line of lines) {
        const { attempt, omitted } = JSON.parse(line) as { attempt: number; omitted?: number };
        heard.push(omitted === undefined ? attempt : { omitted });
      }
      if (answer) message.respond();
    },
  });
}

/** Events that are known by their attempt. */
function tell(state: "submitted" | "succeeded", from: number, to: number): void {
  const id = TaskId.parse(`00aaaa${"0".repeat(16)}`);
  for (let attempt = from; attempt <= to; attempt++) events.task(state, { id, name, attempt });
}

const upTo = (last: number): number[] => Array.from({ length: last }, (_, index) => index + 1);

const linesOn = (subject: string): number =>
  bus.published
    .filter((each) => each.subject === subject)
    .reduce((sum, { data }) => sum + String(data).trimEnd().split("\n").length, 0);

async function pass(ms: number): Promise<void> {
  await bus.loop.play(bus.loop.nowMs + ms);
}

test("where nobody listens one line is written, the others are not", async () => {
  tell("submitted", 1, 500);
  await pass(100);
  expect(linesOn(SUBMITTED)).toBe(1);
});

test("where somebody listens all come, in order, also those of the time in which it was asked", async () => {
  listen(SUCCEEDED);
  tell("succeeded", 1, 300);
  tell("submitted", 1, 300);
  await pass(20);
  tell("succeeded", 301, 600);
  await pass(100);
  expect(heard).toEqual(upTo(600));
  expect(linesOn(SUBMITTED)).toBe(1);
});

test("where nobody listened a moment ago few are gathered and the others counted, until somebody does", async () => {
  tell("submitted", 1, 300);
  await pass(100);
  listen(SUBMITTED);
  // All but a few of this burst are lost: it came before it was asked again.
  tell("submitted", 1, 5_000);
  await pass(100);
  expect(heard).toEqual([...upTo(64), { omitted: 5_000 - 64 }]);
  tell("submitted", 65, 300);
  await pass(100);
  expect(heard.filter((each) => typeof each === "number")).toEqual(upTo(300));
});

test("where nobody listened a moment ago it is asked ten times a second, and where somebody does fifty times", async () => {
  const asks = (): number => bus.published.filter(({ subject }) => subject.endsWith(".last")).length;
  const busy = async (): Promise<number> => {
    const before = asks();
    for (let step = 0; step < 100; step++) {
      tell("succeeded", 1, 5);
      await pass(10);
    }
    return asks() - before;
  };
  expect(await busy()).toBeLessThanOrEqual(11);
  listen(SUCCEEDED);
  expect(await busy()).toBeGreaterThan(30);
  // What came while it was not asked is there: so few are kept.
  expect(heard.filter((each) => typeof each !== "number")).toEqual([]);
});

test("what was known of who listens is forgotten after half a second", async () => {
  tell("submitted", 1, 300);
  await pass(1_000);
  listen(SUBMITTED);
  tell("submitted", 1, 300);
  await pass(100);
  expect(heard).toEqual(upTo(300));
});

test("who listens may answer: it is not taken for nobody", async () => {
  listen(SUCCEEDED, true);
  tell("succeeded", 1, 300);
  await pass(100);
  expect(heard).toEqual(upTo(300));
});

test("where the answers are lost all come", async () => {
  bus.isLost = (subject) => subject.startsWith("_I.");
  listen(SUCCEEDED);
  tell("succeeded", 1, 300);
  await pass(20);
  tell("succeeded", 301, 310);
  await pass(2_000);
  expect(heard).toEqual(upTo(310));
});

test("what waits for an answer is published when it is closed, before what came later", async () => {
  listen(SUCCEEDED);
  bus.isLost = (subject) => subject.startsWith("_I.");
  tell("succeeded", 1, 300);
  await pass(25);
  tell("succeeded", 301, 310);
  events.close();
  expect(heard).toEqual(upTo(310));
});

test("they are not gathered without bound: what there is no room for is counted", async () => {
  listen(SUCCEEDED);
  tell("succeeded", 1, 20_500);
  await pass(100);
  expect(heard).toEqual([...upTo(20_000), { omitted: 500 }]);
});

test("what is missing on a subject is told where nothing of it could be kept", async () => {
  listen(SUBMITTED);
  tell("succeeded", 1, 20_000);
  tell("submitted", 1, 30);
  await pass(100);
  expect(heard).toEqual([{ omitted: 30 }]);
});
