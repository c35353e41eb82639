/** Which code a stop is meant for: that of its attempt, whether it has begun or not, and of no other. */
import { beforeEach, expect, test } from "vitest";
import { FakeBus } from "../../testing/src/simulation/fake-bus.ts";
import { NO_ENTRY } from "../src/begun-table.ts";
import { CodeRunner } from "../src/code-runner.ts";
import type { Ahead } from "../src/executors/executor.ts";
import { inlineExecutor } from "../src/executors/inline.ts";
import { defineTask } from "../src/index.ts";
import { type AttemptEnd, CANCELLED, type StopRequest } from "../src/run-attempt.ts";
import { assignmentOf } from "./assignment.ts";

const CANCEL: StopRequest = { type: "cancelled", reason: "a test" };
const outside = {
  entry: NO_ENTRY,
  onBegun: null,
  outlet: { progress: () => undefined, log: () => undefined },
};
const first = assignmentOf({ attempt: 1 });
const second = assignmentOf({ attempt: 2 });

let code: CodeRunner;
let bus: FakeBus;
/** Of code that was given ahead: lets it begin. */
let beginAhead: () => void;
/** The attempts whose code was asked to stop. */
let stopped: number[];
beforeEach(() => {
  bus = new FakeBus();
  const inline = inlineExecutor();
  const ahead: Ahead = {
    hasRoom: () => true,
    runAhead(_task, _input, _outlet, onBegun) {
      beginAhead = onBegun;
      const end = Promise.withResolvers<AttemptEnd>();
      return { end: end.promise, stop: () => end.resolve(CANCELLED), terminate: () => true };
    },
    beginNow: () => false,
  };
  stopped = [];
  code = new CodeRunner({
    clock: bus.connection("worker", bus.process("w1")).clock,
    executors: { inline, thread: { ...inline, ahead }, process: inline },
    cancelGraceMs: 1_000,
    log: () => undefined,
    onDeaf: () => undefined,
  });
});

const waiting = defineTask("waiting", (_input: unknown, { attempt, signal }) => {
  const over = Promise.withResolvers<never>();
  const stop = (): void => {
    stopped.push(attempt);
    over.reject(signal.reason);
  };
  if (signal.aborted) stop();
  else signal.addEventListener("abort", stop);
  return over.promise;
});

function begin(assignment: typeof first) {
  const task = { definition: waiting, moduleUrl: null, origin: "a test" };
  return code.begin(assignment, task, { ...assignment, deps: [] }, outside);
}

test("a stop that comes before the code has begun is heeded when it begins", async () => {
  code.stop(first, CANCEL);
  expect(await begin(first).end).toEqual(CANCELLED);
});

test("a stop that comes before the code has begun is of its attempt only, though nothing was heard of its end", () => {
  code.stop(first, CANCEL);
  begin(second);
  expect(stopped).toEqual([]);
});

test("it is forgotten with its attempt, and by the end of no other", async () => {
  code.stop(first, CANCEL);
  code.over(first);
  begin(first);
  expect(stopped).toEqual([]);

  code.stop(second, CANCEL);
  code.over(first);
  expect(await begin(second).end).toEqual(CANCELLED);
});

test("a stop of an attempt that has not begun leaves the code of the one before it alone", async () => {
  begin(first);
  code.stop(second, CANCEL);
  expect(stopped).toEqual([]);
  expect(await begin(second).end).toEqual(CANCELLED);
  expect(stopped).toEqual([2]);
});

test("the end of an older attempt leaves the newer one to be stopped", async () => {
  begin(first);
  const { end } = begin(second);
  code.over(first);
  code.stop(second, CANCEL);
  expect(await end).toEqual(CANCELLED);
  expect(stopped).toEqual([2]);
});

test("the time of code that was given ahead counts from when it begins", async () => {
  const assignment = assignmentOf({ attempt: 1, timeoutMs: 1_000 });
  const definition = defineTask("apart", { executor: "thread" }, () => 1);
  const task = { definition, moduleUrl: null, origin: "a test" };
  const input = { ...assignment, deps: [] };
  const { end } = code.begin(assignment, task, input, { ...outside, onBegun: () => undefined });
  let outcome: string | null = null;
  const ended = Promise.resolve(end).then((how) => {
    ({ outcome } = how);
  });
  await bus.loop.play(bus.loop.nowMs + 5_000);
  expect(outcome).toBeNull();
  beginAhead();
  await bus.loop.play(bus.loop.nowMs + 999);
  expect(outcome).toBeNull();
  await bus.loop.play(bus.loop.nowMs + 1);
  await ended;
  expect(outcome).toBe("timed_out");
});
