/** What a definition is, and what is wrong with one is said where it is made. */
import { UsageError } from "@weft/protocol";
import { describe, expect, test } from "vitest";
import { defineTask, isDefinition } from "../src/define-task.ts";

const run = (): number => 1;

describe("a definition", () => {
  test("holds its name, its function and its options with their defaults, and cannot be changed", () => {
    const definition = defineTask("count-primes", run);
    expect(definition).toEqual({
      name: "count-primes",
      options: { executor: "inline", memoryMb: null },
      handler: run,
    });
    expect(Object.isFrozen(definition)).toBe(true);
    expect(defineTask("x", { executor: "thread", memoryMb: 64 }, run).options).toEqual({
      executor: "thread",
      memoryMb: 64,
    });
  });

  test("is told from what looks like one, by its mark", () => {
    const definition = defineTask("x", run);
    expect(isDefinition(definition)).toBe(true);
    for (const other of [{ ...definition }, null, undefined, run, "x", 1, Object.create(null)]) {
      expect(isDefinition(other)).toBe(false);
    }
  });
});

describe("a definition is refused", () => {
  test.each(["", "Upper", "camelCase", "a b", "a.b", "a/b", "*", ">", "é", "a\nb", "x".repeat(65)])(
    "under the name %j",
    (name) => {
      expect(() => defineTask(name, run)).toThrow(UsageError);
      expect(() => defineTask(name, run)).toThrow("a task name must be 1 to 64 characters of a-z 0-9 _ -");
    },
  );

  test.each(["a", "_", "-", "0", "__proto__", "constructor", "x".repeat(64)])("not under %j", (name) => {
    expect(defineTask(name, run).name).toBe(name);
  });

  test.each([undefined, null, 5, {}, Symbol("x")])("where its name is no text: %s", (name) => {
    expect(() => defineTask(name as unknown as string, run)).toThrow(UsageError);
  });

  test("without a function, wherever that should be", () => {
    const wrong = [
      () => defineTask("x", undefined as never),
      () => defineTask("x", null as never),
      () => defineTask("x", {} as never),
      () => defineTask("x", {}, undefined as never),
      () => defineTask("x", {}, {} as never),
      () => defineTask("x", null as never, run),
      () => defineTask("x", "thread" as never, run),
    ];
    for (const each of wrong) expect(each).toThrow(UsageError);
    expect(wrong[0]).toThrow('task "x" has no function to run');
  });

  test("with an executor that there is not", () => {
    expect(() => defineTask("x", { executor: "fork" as never }, run)).toThrow(
      'the executor must be "inline", "thread" or "process", got "fork"',
    );
  });

  test("with an option that there is not, which may be a misspelt one", () => {
    expect(() => defineTask("x", { executer: "thread" } as object, run)).toThrow(UsageError);
    expect(() => defineTask("x", { executer: "thread" } as object, run)).toThrow(
      'there is no option "executer"',
    );
  });

  test.each([0, 15, 16.5, -1, Number.NaN, Number.POSITIVE_INFINITY, "64"])(
    "with a memory limit of %s",
    (memoryMb) => {
      expect(() => defineTask("x", { executor: "thread", memoryMb: memoryMb as number }, run)).toThrow(
        "memoryMb must be a whole number of at least 16",
      );
    },
  );

  test("with a memory limit on code that has no heap of its own", () => {
    expect(() => defineTask("x", { memoryMb: 64 }, run)).toThrow(
      'memoryMb needs executor: "thread" or "process"',
    );
    expect(() => defineTask("x", { executor: "inline", memoryMb: 64 }, run)).toThrow(UsageError);
  });
});
