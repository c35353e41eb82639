import {
  checkProgress,
  decodeProgress,
  encodeProgress,
  InvalidProgressError,
  UsageError,
} from "@weft/protocol";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { taskId, text } from "./arbitraries.ts";

const fraction = fc.double({ min: 0, max: 1, noNaN: true }).map((each) => (each === 0 ? 0 : each));

describe("progress", () => {
  test("is any number from 0 to 1", () => {
    fc.assert(fc.property(fraction, (each) => void expect(checkProgress(each)).toBeUndefined()));
    for (const edge of [0, -0, 1, Number.MIN_VALUE, 1 - Number.EPSILON])
      expect(checkProgress(edge)).toBeUndefined();
  });

  test.each<[unknown, string]>([
    [Number.NaN, "NaN"],
    [Number.POSITIVE_INFINITY, "Infinity"],
    [Number.NEGATIVE_INFINITY, "-Infinity"],
    [1.0000000000000002, "1.0000000000000002"],
    [-Number.MIN_VALUE, "-5e-324"],
    [50, "50"],
    [1n, "1"],
    ["0.5", "string"],
    [null, "object"],
    [undefined, "undefined"],
    [{ valueOf: () => 0.5 }, "object"],
    [new Number(0.5), "object"],
  ])("is not %o", (wrong, told) => {
    expect(() => checkProgress(wrong)).toThrow(InvalidProgressError);
    expect(() => checkProgress(wrong)).toThrow(`progress must be a number from 0 to 1, got ${told}`);
  });

  test("has a message that is a text of at most 1000 characters", () => {
    expect(checkProgress(0, "m".repeat(1_000))).toBeUndefined();
    for (const wrong of ["m".repeat(1_001), 7, null, {}])
      expect(() => checkProgress(0, wrong)).toThrow(UsageError);
  });

  test("has data that is JSON of at most 16384 characters", () => {
    expect(checkProgress(0, undefined, "d".repeat(16_382))).toBeUndefined();
    expect(checkProgress(0, undefined, null)).toBeUndefined();
    const loop: unknown[] = [];
    loop.push(loop);
    for (const wrong of ["d".repeat(16_383), () => 1, Symbol("s"), 5n, loop])
      expect(() => checkProgress(0, undefined, wrong)).toThrow(UsageError);
  });

  test("arrives as it was reported, as one line of JSON that a person can read", () => {
    const report = fc.record(
      {
        task: taskId as fc.Arbitrary<string>,
        attempt: fc.nat(),
        fraction,
        message: text,
        data: fc
          .jsonValue({ noUnicodeString: false })
          .map((value) => JSON.parse(JSON.stringify(value)) as unknown),
      },
      { requiredKeys: ["task", "attempt", "fraction"] },
    );
    fc.assert(
      fc.property(report, (each) => {
        const bytes = encodeProgress(each);
        expect(Buffer.from(bytes).toString()).not.toContain("\n");
        expect(decodeProgress(bytes)).toEqual(each);
      }),
    );
  });

  test.each([
    "",
    "null",
    "[]",
    "7",
    "{",
    '{"task":"t","attempt":1}',
    '{"task":"t","attempt":1,"fraction":1.5}',
    '{"task":"t","attempt":1,"fraction":-0.1}',
    '{"task":"t","attempt":1,"fraction":"0.5"}',
    '{"task":7,"attempt":1,"fraction":0.5}',
    '{"task":"t","attempt":"1","fraction":0.5}',
  ])("is not read from %s", (line) => expect(decodeProgress(Buffer.from(line))).toBeNull());
});
