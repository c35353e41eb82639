/** Code that is given to a place while other code runs there. */
import { encodeValue, TaskName } from "@weft/protocol";
import { systemClock } from "@weft/transport";
import { beforeEach, describe, expect, test } from "vitest";
import type { TaskOutlet } from "../src/context.ts";
import type { Run } from "../src/executors/executor.ts";
import type { ToInside } from "../src/executors/messages.ts";
import { Place, type PlaceOptions } from "../src/executors/place.ts";
import { Places } from "../src/executors/places.ts";
import { type TicketMemory, ticketMemory, useTicket } from "../src/executors/ticket.ts";
import { defineTask } from "../src/index.ts";
import { failedWith } from "../src/run-attempt.ts";
import { TaskRegistry } from "../src/task-registry.ts";
import { taskId } from "./assignment.ts";

/** A thread that does what the test says. */
class FakeThread extends Place {
  readonly got: ToInside[] = [];
  ends = 0;
  private readonly memory: TicketMemory;

  constructor(options: PlaceOptions) {
    const memory = ticketMemory();
    super(options, memory);
    this.memory = memory;
  }

  async end(): Promise<void> {
    this.ends++;
  }

  /** It has died. */
  dies(): void {
    this.gone(() => failedWith(new Error("it died")));
  }

  /** The job ends in the thread, and the worker hears of it. */
  answer(job: number): void {
    const end = { outcome: "succeeded", value: encodeValue(job, "it"), failure: null } as const;
    this.deliver({ type: "ended", job, end, progress: null });
  }

  begin(job: number): boolean {
    return useTicket(this.memory, job);
  }

  protected send(message: ToInside): void {
    this.got.push(message);
  }
}

const registry = new TaskRegistry();
registry.addModule(
  { work: defineTask("work", { executor: "thread" }, () => 1) },
  "file:///work.ts",
  "work.ts",
);
const task = registry.get("work") as NonNullable<ReturnType<TaskRegistry["get"]>>;
const outlet: TaskOutlet = { progress: () => undefined, log: () => undefined };

let nowMs: number;
let threads: FakeThread[];
let places: Places;
/** Tasks whose code has begun, of those that were given ahead. */
let begun: number[];

beforeEach(() => {
  nowMs = 0;
  threads = [];
  begun = [];
  places = new Places({
    keptMax: 2,
    clock: { ...systemClock, nowMs: () => nowMs },
    make: (options) => {
      const thread = new FakeThread(options);
      threads.push(thread);
      return thread;
    },
  });
});

const thread = (index: number): FakeThread => threads[index] as FakeThread;

function inputOf(number: number) {
  const args = encodeValue(null, "the input");
  return { id: taskId(number), name: TaskName.parse("work"), attempt: 1, args, deps: [] };
}

const run = (number: number): Run => places.run(task, inputOf(number), outlet);
const ahead = (number: number): Run =>
  places.runAhead(task, inputOf(number), outlet, () => void begun.push(number));

/** One thread, of which is known that its code takes 10 ms, runs its second job. */
function warmThread(): { readonly running: Run } {
  run(1);
  nowMs += 10;
  thread(0).answer(1);
  return { running: run(2) };
}

describe("a place", () => {
  test("has room for one more where its code is expected to end soon, and not before that is known", () => {
    run(1);
    expect(places.hasRoom(task)).toBe(false);
    nowMs += 10;
    thread(0).answer(1);
    expect(places.hasRoom(task)).toBe(false);
    run(2);
    expect(places.hasRoom(task)).toBe(true);
    ahead(3);
    expect(places.hasRoom(task)).toBe(false);
  });

  test("begins what waits when the code before it has ended, and takes another", async () => {
    const { running } = warmThread();
    const waiting = ahead(3);
    expect(begun).toEqual([]);
    expect(thread(0).begin(3)).toBe(true);
    thread(0).answer(2);
    expect(await running.end).toMatchObject({ outcome: "succeeded" });
    expect(begun).toEqual([3]);
    expect(places.hasRoom(task)).toBe(true);
    thread(0).answer(3);
    expect(await waiting.end).toMatchObject({ outcome: "succeeded" });
  });
});

describe("what waits", () => {
  test("and is cancelled has ended at once, and never begins", async () => {
    warmThread();
    const waiting = ahead(3);
    waiting.stop({ type: "cancelled", reason: null });
    expect(await waiting.end).toMatchObject({ outcome: "cancelled" });
    expect(thread(0).begin(3)).toBe(false);
    expect(begun).toEqual([]);
  });

  test("and has begun already when it is cancelled is asked to stop", () => {
    warmThread();
    const waiting = ahead(3);
    thread(0).begin(3);
    waiting.stop({ type: "cancelled", reason: null });
    expect(thread(0).got.at(-1)).toMatchObject({ type: "stop", job: 3 });
  });

  test("begins in a place of its own when there is a slot for it", () => {
    warmThread();
    ahead(3);
    expect(places.beginNow()).toBe(true);
    expect(begun).toEqual([3]);
    expect(threads).toHaveLength(2);
    expect(thread(0).begin(3)).toBe(false);
    expect(places.beginNow()).toBe(false);
  });

  test("behind code that takes long goes to the next place with room, before anything newer", () => {
    for (const number of [1, 2]) run(number);
    nowMs += 10;
    for (const each of threads) each.answer(1);
    run(3);
    ahead(4);
    nowMs += 51;
    run(5);
    expect(places.hasRoom(task)).toBe(false);
    const [stuck, other] = thread(0).got.length > thread(1).got.length ? threads : threads.toReversed();
    expect((stuck as FakeThread).begin(3)).toBe(false);
    expect((other as FakeThread).got.at(-1)).toMatchObject({ isAhead: true, input: { id: taskId(4) } });
  });

  test("outlives a place that is ended by force, and begins elsewhere once that has ended", async () => {
    const { running } = warmThread();
    ahead(3);
    running.terminate();
    expect(thread(0).ends).toBe(1);
    expect(begun).toEqual([]);
    thread(0).dies();
    expect(await running.end).toMatchObject({ outcome: "terminated" });
    expect(begun).toEqual([3]);
    expect(thread(1).got).toMatchObject([{ type: "run", isAhead: false, input: { id: taskId(3) } }]);
  });

  test("and has begun is not ended by force in place of the code before it", async () => {
    const { running } = warmThread();
    ahead(3);
    thread(0).begin(3);
    running.terminate();
    expect(thread(0).ends).toBe(0);
    thread(0).answer(2);
    expect(await running.end).toMatchObject({ outcome: "succeeded" });
  });

  test("outlives a place that dies", async () => {
    const { running } = warmThread();
    ahead(3);
    thread(0).dies();
    expect(await running.end).toMatchObject({ outcome: "failed" });
    expect(begun).toEqual([3]);
    expect(threads).toHaveLength(2);
  });
});
