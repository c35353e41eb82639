import {
  decodeValue,
  EncodingError,
  encodeValue,
  PayloadTooLargeError,
  VALUE_BYTES_MAX,
} from "@weft/protocol";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { text } from "./arbitraries.ts";

const there = (value: unknown): unknown => decodeValue(encodeValue(value, "the input"));
const refusal = (value: unknown): string => {
  try {
    encodeValue(value, "the input");
    return "it was encoded";
  } catch (error) {
    if (!(error instanceof EncodingError)) throw error;
    return error.message.replace("the input cannot be encoded: ", "");
  }
};

/** A key of this name is no property but the prototype in half of the languages, and arrives renamed. */
const key = text.filter((each) => each !== "__proto__");
/** There is one zero on the wire. */
const number = fc.double().map((each) => (each === 0 ? 0 : each));
const { value: anyValue } = fc.letrec((tie) => ({
  value: fc.oneof(
    { maxDepth: 5 },
    fc.oneof(
      fc.constantFrom(null, true, false, undefined),
      number,
      fc.maxSafeInteger(),
      fc.bigInt({ min: -(2n ** 200n), max: 2n ** 200n }),
      text,
      fc.date({ noInvalidDate: true, min: new Date(-8e12), max: new Date(8e12) }),
    ),
    fc.array(tie("value"), { maxLength: 5 }),
    fc.dictionary(key, tie("value"), { maxKeys: 5 }),
  ),
}));

describe("a value", () => {
  test("of JSON's types, bigints and dates arrives as it was sent", () => {
    fc.assert(
      fc.property(anyValue, (value) => {
        expect(there(value)).toEqual(value);
      }),
      { numRuns: 1_000 },
    );
  });

  test("that is not there is no bytes at all, and not null", () => {
    expect(encodeValue(undefined, "it").length).toBe(0);
    expect(there(undefined)).toBeUndefined();
    expect(there(null)).toBeNull();
    expect(encodeValue(null, "it").length).toBe(1);
  });

  test("keeps undefined where it stands in an array or object", () => {
    expect(there([undefined, 1])).toEqual([undefined, 1]);
    expect(Object.keys(there({ a: undefined, b: 1 }) as object)).toEqual(["a", "b"]);
  });

  test("may be NaN or infinite, which JSON has no word for", () => {
    expect(there([Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY])).toEqual([
      Number.NaN,
      Number.POSITIVE_INFINITY,
      Number.NEGATIVE_INFINITY,
    ]);
    expect(there(Number.MAX_SAFE_INTEGER)).toBe(Number.MAX_SAFE_INTEGER);
  });

  test("that is a bigint stays one, small or large", () => {
    for (const value of [0n, 5n, -1n, 2n ** 63n, -(2n ** 63n), 2n ** 64n, 2n ** 4_000n])
      expect(there(value)).toBe(value);
  });

  test("that is bytes, a typed array or a view arrives as the same type", () => {
    const arrays = [Int8Array, Uint8ClampedArray, Int16Array, Uint16Array, Int32Array, Uint32Array];
    for (const type of [Uint8Array, ...arrays, Float32Array, Float64Array]) {
      const arrived = there({ deep: type.of(1, 2, 3) }) as { deep: unknown };
      expect(arrived.deep).toStrictEqual(type.of(1, 2, 3));
    }
    for (const type of [BigInt64Array, BigUint64Array]) expect(there(type.of(1n))).toStrictEqual(type.of(1n));
    expect(there(Buffer.from("bytes"))).toEqual(Buffer.from("bytes"));
    const view = there(new DataView(Uint8Array.of(1, 2).buffer)) as DataView;
    expect([view.byteLength, view.getUint8(1)]).toEqual([2, 2]);
    expect(there(Uint8Array.of(7, 8).buffer)).toEqual(Uint8Array.of(7, 8).buffer);
  });

  test("that knows how to become JSON is sent as that", () => {
    expect(there({ at: new URL("http://host/path") })).toEqual({ at: "http://host/path" });
    class Money {
      readonly cents = 5;
      toJSON(): unknown {
        return { cents: this.cents, currency: "EUR" };
      }
    }
    expect(there([new Money()])).toEqual([{ cents: 5, currency: "EUR" }]);
  });

  test("that appears in two places, without holding itself, appears in both", () => {
    const shared = { a: 1 };
    expect(there([shared, { shared }])).toEqual([{ a: 1 }, { shared: { a: 1 } }]);
  });

  test("cannot change the prototype of what it becomes", () => {
    const arrived = there(JSON.parse('{"__proto__": {"admin": true}}')) as { admin?: boolean };
    expect(arrived.admin).toBeUndefined();
    expect(Object.getPrototypeOf(arrived)).toBe(Object.prototype);
  });
});

describe("what cannot travel is refused, with the way to it:", () => {
  class Bytes extends Uint8Array {}
  test.each<[string, unknown]>([
    ["it is a function", () => 1],
    ["it is a symbol", Symbol("s")],
    ["its .a.b[1] is a function", { a: { b: [1, () => 1] } }],
    ["its .toJSON is a function", { toJSON: () => 1 }],
    ["its [0] is a Promise, await it first", [Promise.resolve()]],
    ["its .m is a Map, pass an object or an array of entries instead", { m: new Map() }],
    ["its .s is a Set, pass an array instead", { s: new Set() }],
    ["its .e is a Error, pass its message instead", { e: new TypeError("wrong") }],
    ["its .r is a RegExp, pass its source instead", { r: /x/ }],
    ["it is a WeakMap, which cannot leave its process", new WeakMap()],
    ["its .b is a Bytes, pass a Uint8Array instead", { b: new Bytes(1) }],
  ])("%s", (why, value) => expect(refusal(value)).toBe(why));

  test("a value that holds itself", () => {
    const loop: Record<string, unknown> = { list: [] };
    (loop.list as unknown[]).push(1, loop);
    expect(refusal(loop)).toBe("its .list[1] is a reference back to itself");
  });

  test("a value that becomes itself as JSON", () => {
    class Odd {
      toJSON(): unknown {
        return this;
      }
    }
    expect(refusal(new Odd())).toBe("it is a reference back to itself");
  });

  test("a value that is nested deeper than 512 levels, where one of 512 passes", () => {
    const nested = (depth: number): unknown => {
      let value: unknown = 1;
      for (let i = 0; i < depth; i++) value = i % 2 === 0 ? [value] : { a: value };
      return value;
    };
    expect(there(nested(512))).toEqual(nested(512));
    expect(refusal(nested(513))).toContain("nested deeper than 512 levels");
    expect(refusal(nested(100_000))).toContain("nested deeper than 512 levels");
  });

  test("anything, if need be, but never with another error", () => {
    const odd = fc.anything({
      withMap: true,
      withSet: true,
      withBoxedValues: true,
      withTypedArray: true,
      withSparseArray: true,
    });
    fc.assert(
      fc.property(odd, (value) => {
        try {
          there(value);
        } catch (error) {
          expect(error).toBeInstanceOf(EncodingError);
          expect((error as Error).message).toMatch(/^the input cannot be encoded: /);
        }
      }),
      { numRuns: 1_000 },
    );
  });
});

describe("a text", () => {
  test.each([
    ["nothing", 0, [0xa0]],
    ["31 characters", 31, [0xbf]],
    ["32 characters", 32, [0xd9, 32]],
    ["255 characters", 255, [0xd9, 255]],
    ["256 characters", 256, [0xda, 1, 0]],
  ])("of %s is as short as MessagePack has it", (_what, length, head) => {
    const bytes = encodeValue("x".repeat(length), "it");
    expect([...bytes]).toEqual([...head, ...Array<number>(length).fill(0x78)]);
  });

  test("of other characters than ASCII has the length of its bytes", () => {
    expect([...encodeValue("é€", "it")]).toEqual([0xa5, 0xc3, 0xa9, 0xe2, 0x82, 0xac]);
    const long = `${"x".repeat(30)}é`;
    expect([...encodeValue(long, "it").subarray(0, 2)]).toEqual([0xd9, 32]);
  });

  test("is not overwritten by those that are encoded after it", () => {
    const texts = Array.from({ length: 1_000 }, (_, n) =>
      `${n}${n % 3 === 0 ? "é" : ""}`.repeat(1 + (n % 50)),
    );
    const encoded = texts.map((each) => encodeValue(each, "it"));
    expect(encoded.map(decodeValue)).toEqual(texts);
  });
});

describe("a value that is too large", () => {
  test("is refused with its size and the limit", () => {
    const encode = () => encodeValue(new Uint8Array(VALUE_BYTES_MAX + 1), "the input");
    expect(encode).toThrow(PayloadTooLargeError);
    expect(encode).toThrow(
      "the input takes 536870913 bytes encoded, the limit is 536870912: pass a reference",
    );
  });

  test("is refused at the limit that the caller set", () => {
    expect(encodeValue([1, 2], "it", 3).length).toBe(3);
    expect(() => encodeValue([1, 2, 3], "it", 3)).toThrow(PayloadTooLargeError);
    expect(encodeValue("ab", "it", 3).length).toBe(3);
    expect(() => encodeValue("abc", "it", 3)).toThrow(PayloadTooLargeError);
  });

  test("leaves what is encoded after it in a buffer of its own", () => {
    const large = encodeValue(new Uint8Array(1_000_000), "it");
    const small = encodeValue([1, 2, 3], "it");
    expect(small.buffer).not.toBe(large.buffer);
    expect(small.buffer.byteLength).toBeLessThan(100_000);
    expect(decodeValue(large)).toEqual(new Uint8Array(1_000_000));
  });
});

describe("bytes that are no value", () => {
  test.each([
    ["truncated", [0xa2, 0x61]],
    ["bytes after the end", [1, 2]],
    ["unknown type or truncated at byte 0", [0xc1]],
    ["byte length of BigInt64Array should be a multiple of 8", [0xd5, 0x74, 9, 0]],
  ])("are told as such: %s", (why, bytes) => {
    expect(() => decodeValue(Uint8Array.from(bytes))).toThrow(EncodingError);
    expect(() => decodeValue(Uint8Array.from(bytes))).toThrow(`a value cannot be decoded: ${why}`);
  });
});
