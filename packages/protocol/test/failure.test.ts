import {
  CAUSES_MAX,
  ClosedError,
  decodeFailure,
  encodeFailure,
  failureOf,
  rebuildError,
  WeftError,
} from "@weft/protocol";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { text } from "./arbitraries.ts";

/** What a client gets of what a task threw. */
const there = (thrown: unknown): Error => rebuildError(decodeFailure(encodeFailure(failureOf(thrown))));

class OutOfStockError extends Error {
  override name = "OutOfStockError";
  readonly code = "out_of_stock";
  readonly left = 0;
  readonly details = { not: "sent" };
}

describe("an error that a task threw", () => {
  test("is rebuilt with its type, message, stack and properties", () => {
    const thrown = new OutOfStockError("no more chairs");
    const error = there(thrown);
    expect(error).toBeInstanceOf(Error);
    expect(error).toMatchObject({
      name: "OutOfStockError",
      message: "no more chairs",
      code: "out_of_stock",
      left: 0,
      stack: thrown.stack,
    });
    expect(error).not.toHaveProperty("details");
    expect(String(error)).toBe("OutOfStockError: no more chairs");
    expect(Object.keys(error)).not.toContain("stack");
  });

  test.each([TypeError, RangeError, SyntaxError, ReferenceError, EvalError, URIError, Error])(
    "is an instance of the class that JavaScript has of its name: %o",
    (type) => {
      expect(there(new type("wrong"))).toBeInstanceOf(type);
      expect(there(new type("wrong")).name).toBe(type.name);
    },
  );

  test("of Weft is a WeftError with its code", () => {
    const error = there(new ClosedError("the connection"));
    expect(WeftError.is(error, "weft_closed")).toBe(true);
    expect(error.name).toBe("ClosedError");
  });

  test("is rebuilt whatever its name and message are, even those of what every object has", () => {
    const name = fc.oneof(
      text,
      fc.constantFrom("constructor", "toString", "__proto__", "hasOwnProperty", "valueOf"),
    );
    fc.assert(
      fc.property(name, text, (ownName, message) => {
        const thrown = new Error(message);
        thrown.name = ownName;
        const error = there(thrown);
        expect(error).toBeInstanceOf(Error);
        expect([error.name, error.message, error.stack]).toEqual([ownName, message, thrown.stack]);
      }),
      { numRuns: 300 },
    );
  });

  test("brings its causes, each with its type", () => {
    const root = new RangeError("disk full");
    const error = there(
      new OutOfStockError("no chairs", { cause: new Error("no reading", { cause: root }) }),
    );
    expect(error.cause).toMatchObject({ name: "Error", message: "no reading" });
    const cause = (error.cause as Error).cause as Error;
    expect(cause).toBeInstanceOf(RangeError);
    expect(cause).toMatchObject({ message: "disk full", stack: root.stack });
    expect("cause" in cause).toBe(false);
  });

  test("brings no more causes than there may be, and comes to an end where they form a circle", () => {
    let chain = new Error("0");
    for (let i = 1; i < 100; i++) chain = new Error(String(i), { cause: chain });
    const messages: string[] = [];
    for (let at: unknown = there(chain); at instanceof Error; at = at.cause) messages.push(at.message);
    expect(messages).toEqual(Array.from({ length: CAUSES_MAX }, (_, i) => String(99 - i)));
    const first: Error & { cause?: unknown } = new Error("first");
    first.cause = new Error("second", { cause: first });
    expect(there(first)).toMatchObject({ message: "first", cause: { message: "second" } });
    expect(there(first).cause).not.toHaveProperty("cause");
  });

  test("with a cause that is no error tells the cause in words", () => {
    expect(there(new Error("wrong", { cause: { status: 500 } })).cause).toMatchObject({
      name: "NonErrorThrown",
      message: 'a task threw {"status":500} instead of an Error',
    });
    expect(there(new Error("wrong", { cause: "the weather" })).cause).toMatchObject({
      message: "the weather",
    });
  });

  test("that is huge is cut, and says how much is missing", () => {
    const thrown = Object.assign(new Error("m".repeat(10_000)), { body: "b".repeat(5_000) });
    thrown.stack = "s".repeat(9_000);
    const error = there(thrown) as Error & { body: string };
    expect(error.message).toBe(`${"m".repeat(8_000)}… (2000 characters more)`);
    expect(error.stack).toBe(`${"s".repeat(8_000)}… (1000 characters more)`);
    expect(error.body).toBe(`${"b".repeat(1_000)}… (4000 characters more)`);
  });

  test("without a stack has the one of where it was rebuilt, and no other property is lost for it", () => {
    const thrown = new Error("wrong");
    delete (thrown as { stack?: string }).stack;
    expect(failureOf(thrown).stack).toBeNull();
    expect(there(thrown).message).toBe("wrong");
  });
});

describe("what a task threw that is no error", () => {
  const loop: Record<string, unknown> = {};
  loop.loop = loop;
  test.each<[string, unknown]>([
    ["out of chairs", "out of chairs"],
    ["a task threw 7 instead of an Error", 7],
    ["a task threw null instead of an Error", null],
    ["a task threw undefined instead of an Error", undefined],
    ["a task threw a bigint that has no JSON instead of an Error", 7n],
    ["a task threw Symbol(s) instead of an Error", Symbol("s")],
    ["a task threw a object that has no JSON instead of an Error", loop],
  ])("is told in words: %s", (message, thrown) => {
    expect(there(thrown)).toMatchObject({ name: "NonErrorThrown", message });
  });
});

test("a failure that cannot be read is still a failure, and says so", () => {
  const unreadable = { name: "UnreadableFailure", stack: null, cause: null };
  expect(decodeFailure(Uint8Array.of())).toMatchObject(unreadable);
  expect(decodeFailure(Uint8Array.of(0x91, 1)).message).toBe(
    "the task failed, but what it reported cannot be read (not a failure)",
  );
  expect(rebuildError(decodeFailure(Uint8Array.of(0xc1)))).toBeInstanceOf(Error);
});
