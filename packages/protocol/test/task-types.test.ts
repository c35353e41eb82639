import { type KebabCase, TaskName, taskNameOf } from "@weft/protocol";
import fc from "fast-check";
import { describe, expect, expectTypeOf, test } from "vitest";

describe("the task of an exported name", () => {
  test("is its kebab case", () => {
    expect(taskNameOf("countPrimes")).toBe("count-primes");
    expect(taskNameOf("hash")).toBe("hash");
    expect(taskNameOf("sha256OfFile")).toBe("sha256-of-file");
    expect(taskNameOf("read_line")).toBe("read_line");
    expect(taskNameOf("parseURL")).toBe("parse-u-r-l");
    expect(taskNameOf("Total")).toBe("-total");
  });

  test("is the same to the compiler", () => {
    expectTypeOf<KebabCase<"countPrimes">>().toEqualTypeOf<"count-primes">();
    expectTypeOf<KebabCase<"hash">>().toEqualTypeOf<"hash">();
    expectTypeOf<KebabCase<"sha256OfFile">>().toEqualTypeOf<"sha256-of-file">();
    expectTypeOf<KebabCase<"read_line">>().toEqualTypeOf<"read_line">();
    expectTypeOf<KebabCase<"parseURL">>().toEqualTypeOf<"parse-u-r-l">();
    expectTypeOf<KebabCase<"Total">>().toEqualTypeOf<"-total">();
  });

  test("is a task name for every export of letters, digits and _, and one export's only", () => {
    const exported = fc.stringMatching(/^[a-z_][A-Za-z0-9_]{0,20}$/);
    fc.assert(
      fc.property(exported, exported, (one, other) => {
        expect(TaskName.is(taskNameOf(one))).toBe(true);
        expect(taskNameOf(one) === taskNameOf(other)).toBe(one === other);
      }),
      { numRuns: 1_000 },
    );
  });

  test("leads back to the export", () => {
    const exportOf = (name: string) => name.replace(/-([a-z])/g, (_, letter: string) => letter.toUpperCase());
    fc.assert(
      fc.property(fc.stringMatching(/^[a-z][A-Za-z0-9]{0,20}$/), (name) => {
        expect(exportOf(taskNameOf(name))).toBe(name);
      }),
    );
  });
});
