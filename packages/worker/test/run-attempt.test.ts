/** How the code of one attempt ends, whatever it does. */
import {
  decodeFailure,
  decodeValue,
  encodeValue,
  FAILURE_BYTES_MAX,
  type Failure,
  TaskName,
  VALUE_BYTES_MAX,
} from "@weft/protocol";
import { describe, expect, test } from "vitest";
import { ContextScope, currentTask, type TaskContext } from "../src/context.ts";
import { defineTask } from "../src/define-task.ts";
import { type AttemptEnd, Cancellation, runAttempt } from "../src/run-attempt.ts";
import { taskId } from "./assignment.ts";

const scope = new ContextScope();
const outlet = { progress: () => undefined, log: () => undefined };
type Code = (input: unknown, ctx: TaskContext) => unknown;

function run(
  code: Code,
  given: { input?: unknown; deps?: (Uint8Array | null)[]; cancel?: Cancellation } = {},
) {
  const input = {
    id: taskId(1),
    name: TaskName.parse("tried"),
    attempt: 2,
    args: encodeValue(given.input, "the input"),
    deps: given.deps ?? [],
  };
  const cancellation = given.cancel ?? new Cancellation();
  return runAttempt(defineTask("tried", code), input, { scope, outlet, cancellation });
}

function failureIn({ outcome, value }: AttemptEnd): Failure {
  expect(outcome).toBe("failed");
  expect(value).not.toBeNull();
  return decodeFailure(value ?? new Uint8Array());
}

describe("code that returns", () => {
  test.each([0, "", null, false, undefined, [undefined, null], { a: new Date(1) }, new Uint8Array(3)])(
    "%s succeeds with it, at once or later",
    async (value) => {
      for (const code of [() => value, async () => value]) {
        const end = await run(code);
        expect(end.outcome).toBe("succeeded");
        expect(decodeValue(end.value ?? Uint8Array.of(1))).toEqual(value);
      }
    },
  );

  test("gets no input as undefined, so that a default applies, and null as null", async () => {
    const code: Code = (input = "default") => input;
    expect(decodeValue((await run(code)).value!)).toBe("default");
    expect(decodeValue((await run(code, { input: null })).value!)).toBeNull();
  });

  test("gets its dependencies in order, and its id, name and attempt", async () => {
    const deps = [1, undefined, "three"].map((each) => encodeValue(each, "a dependency"));
    const end = await run((_input, ctx) => [ctx.deps, ctx.id, ctx.name, ctx.attempt, currentTask() === ctx], {
      deps,
    });
    expect(decodeValue(end.value!)).toEqual([[1, undefined, "three"], taskId(1), "tried", 2, true]);
  });

  test("something that cannot travel fails and says where in it", async () => {
    const failure = failureIn(await run(() => ({ rows: [{ click: () => 1 }] })));
    expect(failure.name).toBe("EncodingError");
    expect(failure.message).toBe(
      "the result of task tried cannot be encoded: its .rows[0].click is a function",
    );
  });

  test("something above the limit fails with both sizes", async () => {
    const failure = failureIn(await run(() => new Uint8Array(VALUE_BYTES_MAX + 1)));
    expect(failure.name).toBe("PayloadTooLargeError");
    expect(failure.properties).toMatchObject({
      code: "weft_payload_too_large",
      bytes: VALUE_BYTES_MAX + 1,
      bytesMax: VALUE_BYTES_MAX,
    });
  });
});

describe("code that throws", () => {
  const thrown: readonly (readonly [string, unknown, string, string])[] = [
    ["a text", "just text", "NonErrorThrown", "just text"],
    ["undefined", undefined, "NonErrorThrown", "a task threw undefined instead of an Error"],
    ["null", null, "NonErrorThrown", "a task threw null instead of an Error"],
    ["a number", 7, "NonErrorThrown", "a task threw 7 instead of an Error"],
    ["an object", { code: 5 }, "NonErrorThrown", 'a task threw {"code":5} instead of an Error'],
    ["a big number", 7n, "NonErrorThrown", "a task threw a bigint that has no JSON instead of an Error"],
    ["a symbol", Symbol("s"), "NonErrorThrown", "a task threw Symbol(s) instead of an Error"],
    ["nothing's child", Object.create(null), "NonErrorThrown", "a task threw {} instead of an Error"],
    ["an Error", new RangeError("too far"), "RangeError", "too far"],
  ];
  test.each(thrown)("%s fails with it", async (_what, what, name, message) => {
    const sync: Code = () => {
      throw what;
    };
    for (const code of [sync, () => Promise.reject(what)]) {
      expect(failureIn(await run(code))).toMatchObject({ name, message });
    }
  });

  const unreadable = (property: string): Error =>
    Object.defineProperty(new Error("x"), property, {
      get() {
        throw this;
      },
    });
  const revoked = Proxy.revocable({}, {});
  revoked.revoke();
  test.each([
    ["message", unreadable("message")],
    ["cause", unreadable("cause")],
    ["name", unreadable("name")],
    ["proxy", revoked.proxy],
  ])("what throws when its %s is read fails like any other", async (_what, what) => {
    const failure = failureIn(
      await run(() => {
        throw what;
      }),
    );
    expect(failure.message).toContain("cannot be read");
  });

  test("an error that is its own cause, or one of a cycle of causes, fails with each of them once", async () => {
    const one = new Error("one");
    const two = new Error("two", { cause: one });
    one.cause = two;
    const failure = failureIn(await run(() => Promise.reject(one)));
    expect(failure.message).toBe("one");
    expect(failure.cause?.message).toBe("two");
    expect(failure.cause?.cause).toBeNull();
  });

  test("more text than a record can hold fails with as much of it as there is room for", async () => {
    let error: Error | undefined;
    for (let i = 0; i < 16; i++) {
      error = new Error("語".repeat(9_000), { cause: error });
      for (let k = 0; k < 16; k++) Object.assign(error, { [`detail${k}`]: "語".repeat(1_000) });
    }
    const end = await run(() => Promise.reject(error));
    expect(failureIn(end).message).toMatch(/^語+/);
    expect(end.value?.length).toBeLessThanOrEqual(FAILURE_BYTES_MAX);
  });
});

describe("code that is cancelled", () => {
  const reason = /was cancelled: enough$/;
  const cancelled = (): Cancellation => {
    const cancel = new Cancellation();
    cancel.request({ id: taskId(1), name: TaskName.parse("tried") }, { type: "cancelled", reason: "enough" });
    return cancel;
  };

  test("before it looks at its signal finds it aborted, with the reason", async () => {
    const end = await run((_input, ctx) => [ctx.signal.aborted, String(ctx.signal.reason)], {
      cancel: cancelled(),
    });
    expect(end.outcome).toBe("succeeded");
    expect(decodeValue(end.value!)).toEqual([true, expect.stringMatching(reason)]);
  });

  test("ends cancelled where it throws the reason or an AbortError, and failed where it throws another", async () => {
    const abort = Object.assign(new Error("aborted"), { name: "AbortError" });
    const wait: Code = (_input, ctx) => ctx.signal.throwIfAborted();
    expect(await run(wait, { cancel: cancelled() })).toEqual({
      outcome: "cancelled",
      value: null,
      failure: null,
    });
    expect((await run(() => Promise.reject(abort), { cancel: cancelled() })).outcome).toBe("cancelled");
    expect(
      failureIn(await run(() => Promise.reject(new Error("mine")), { cancel: cancelled() })).message,
    ).toBe("mine");
  });

  test("keeps the first reason", async () => {
    const cancel = cancelled();
    cancel.request({ id: taskId(1), name: TaskName.parse("tried") }, { type: "cancelled", reason: "later" });
    const end = await run((_input, ctx) => String(ctx.signal.reason), { cancel });
    expect(decodeValue(end.value!)).toMatch(reason);
  });

  test("by nobody and throws an AbortError of its own has failed", async () => {
    const failure = failureIn(await run(() => AbortSignal.abort().throwIfAborted()));
    expect(failure.name).toBe("AbortError");
  });
});
