import fc from "fast-check";
import { expect, test } from "vitest";
import { PackedValues } from "../src/shell/packed-values.ts";

const values = fc.array(fc.option(fc.uint8Array({ maxLength: 20 })), { maxLength: 20 });

test("values that are packed are the same values, in any order that they are asked for", () => {
  fc.assert(
    fc.property(values, (given) => {
      const packed = new PackedValues(given);
      expect(given.map((_, index) => packed.at(index))).toEqual(given);
      expect(given.map((_, back) => packed.at(given.length - 1 - back)).reverse()).toEqual(given);
      expect(packed.length).toBe(given.length);
    }),
  );
});

test("there is none where none was given, nor beyond the last", () => {
  const packed = new PackedValues([new Uint8Array(0), null]);
  expect(packed.at(0)).toEqual(new Uint8Array(0));
  expect(packed.at(1)).toBeNull();
  expect(packed.at(2)).toBeNull();
});

test("what they came in may be written to again", () => {
  const message = Uint8Array.of(1, 2, 3);
  const packed = new PackedValues([message.subarray(1, 3)]);
  message.fill(0);
  expect(packed.at(0)).toEqual(Uint8Array.of(2, 3));
});
