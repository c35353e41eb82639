/** How threads and processes are kept and ended, whatever they are. */
import { encodeValue, TaskName } from "@weft/protocol";
import { systemClock } from "@weft/transport";
import { expect, test } from "vitest";
import type { TaskOutlet } from "../src/context.ts";
import { Place } from "../src/executors/place.ts";
import { Places } from "../src/executors/places.ts";
import { defineTask } from "../src/index.ts";
import { failedWith } from "../src/run-attempt.ts";
import { TaskRegistry } from "../src/task-registry.ts";
import { taskId } from "./assignment.ts";

/** Ends when the test says so. */
class FakePlace extends Place {
  readonly sent: number[] = [];
  ends = 0;
  private readonly ended = Promise.withResolvers<void>();

  end(): Promise<void> {
    this.ends++;
    return this.ended.promise;
  }

  finish(): void {
    this.gone(() => failedWith(new Error("it ended")));
    this.ended.resolve();
  }

  fill(): void {
    this.leave();
  }

  answer(): void {
    const job = this.sent.at(-1) ?? 0;
    const end = { outcome: "succeeded", value: encodeValue(1, "it"), failure: null } as const;
    this.deliver({ type: "ended", job, end, progress: null });
  }

  protected send(message: { readonly job: number }): void {
    this.sent.push(message.job);
  }
}

const registry = new TaskRegistry();
registry.addModule(
  { work: defineTask("work", { executor: "thread" }, () => 1) },
  "file:///work.ts",
  "work.ts",
);
const task = registry.get("work");
if (task === undefined) throw new Error("there is no task");
const outlet: TaskOutlet = { progress: () => undefined, log: () => undefined };
const input = {
  id: taskId(1),
  name: TaskName.parse("work"),
  attempt: 1,
  args: encodeValue(null, "the input"),
  deps: [],
};

function setUp() {
  const places: FakePlace[] = [];
  const executor = new Places({
    keptMax: 2,
    clock: systemClock,
    make: (options) => {
      const place = new FakePlace(options);
      places.push(place);
      return place;
    },
  });
  return { places, executor, run: () => executor.run(task as NonNullable<typeof task>, input, outlet) };
}

const isSettled = async (promise: Promise<unknown>): Promise<boolean> => {
  const open = Symbol("open");
  // A turn of the event loop: whatever can settle by itself has done so.
  await new Promise((over) => setImmediate(over));
  return (await Promise.race([promise, Promise.resolve(open)])) !== open;
};

test("a close waits for what is being ended by force already", async () => {
  const { places, executor, run } = setUp();
  const running = run();
  expect(running.terminate()).toBe(true);
  const closing = executor.close();
  expect(await isSettled(closing)).toBe(false);
  places[0]?.finish();
  await closing;
  expect(await running.end).toMatchObject({ outcome: "terminated" });
});

test("a close waits for those that were discarded, for there were more than are kept", async () => {
  const { places, executor, run } = setUp();
  const runs = [run(), run(), run()];
  for (const place of places) place.answer();
  await Promise.all(runs.map((each) => each.end));
  expect(places.map(({ ends }) => ends)).toEqual([1, 0, 0]);
  const closing = executor.close();
  places[1]?.finish();
  places[2]?.finish();
  expect(await isSettled(closing)).toBe(false);
  places[0]?.finish();
  await closing;
});

test("what is about to end is given nothing more, although its attempt still came to its end", async () => {
  const { places, run } = setUp();
  const first = run();
  places[0]?.fill();
  places[0]?.answer();
  expect(await first.end).toMatchObject({ outcome: "succeeded" });
  run();
  expect(places).toHaveLength(2);
  expect(places[0]?.sent).toHaveLength(1);
});
