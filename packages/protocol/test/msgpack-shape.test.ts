import { checkMsgpack, decodeRecord, decodeValue } from "@weft/protocol";
import fc from "fast-check";
import { Packr } from "msgpackr";
import { describe, expect, test } from "vitest";

const LIMITS = { depthMax: 16, nodesMax: 1_000 };
const wrongWith = (...bytes: readonly number[]): string | null =>
  checkMsgpack(Uint8Array.from(bytes), LIMITS);

describe("the shape of MessagePack bytes", () => {
  test("is sound for whatever a plain encoder writes", () => {
    const plain = new Packr({ useRecords: false });
    const anything = fc.anything({ withBigInt: false, withNullPrototype: false, maxDepth: 8 });
    fc.assert(
      fc.property(anything, (value) => {
        expect(checkMsgpack(plain.pack(value), { depthMax: 40, nodesMax: 100_000 })).toBeNull();
      }),
      { numRuns: 1_000 },
    );
  });

  test("is sound for no prefix and no continuation of sound bytes", () => {
    const plain = new Packr({ useRecords: false });
    fc.assert(
      fc.property(fc.jsonValue(), fc.nat(), (value, at) => {
        const bytes = plain.pack(value);
        expect(checkMsgpack(bytes.subarray(0, at % bytes.length), LIMITS)).not.toBeNull();
        expect(checkMsgpack(Buffer.concat([bytes, bytes]), LIMITS)).toBe("bytes after the end");
      }),
      { numRuns: 1_000 },
    );
  });

  test("is bounded in depth and in nodes", () => {
    const nested = (depth: number): Uint8Array => new Uint8Array(depth + 1).fill(0x91, 0, depth);
    expect(checkMsgpack(nested(16), LIMITS)).toBeNull();
    expect(checkMsgpack(nested(17), LIMITS)).toBe("nested deeper than 16");
    expect(checkMsgpack(nested(5_000_000), { ...LIMITS, nodesMax: 10_000_000 })).toBe(
      "nested deeper than 16",
    );
    const flat = (length: number): Uint8Array =>
      Uint8Array.of(0xdc, length >> 8, length & 255, ...new Array(length).fill(0));
    expect(checkMsgpack(flat(999), LIMITS)).toBeNull();
    expect(checkMsgpack(flat(1_000), LIMITS)).toBe("more than 1000 nodes");
  });

  test("is not believed where it announces more than there is", () => {
    expect(wrongWith(0xdd, 0xff, 0xff, 0xff, 0xff)).toBe("a count beyond the end");
    expect(wrongWith(0xdf, 0xff, 0xff, 0xff, 0xff, 0)).toBe("a count beyond the end");
    expect(wrongWith(0xdb, 0xff, 0xff, 0xff, 0xff, 0x61)).toBe("truncated");
    expect(wrongWith(0xc6, 0xff, 0xff, 0xff, 0xff)).toBe("truncated");
    expect(wrongWith()).toBe("truncated");
    expect(wrongWith(0xc1)).toBe("unknown type or truncated at byte 0");
  });
});

describe("extensions", () => {
  test("that Weft writes are known", () => {
    expect(wrongWith(0xd4, 0x00, 0x00)).toBeNull();
    expect(wrongWith(0xc7, 1, 0x42, 5)).toBeNull();
    expect(wrongWith(0xd5, 0x74, 1, 5)).toBeNull();
    expect(wrongWith(0xd6, 0xff, 0, 0, 0, 0)).toBeNull();
  });

  test.each([0x62, 0x65, 0x69, 0x70, 0x72, 0x73, 0x78, 0x01])("other ones are not: type %i", (type) => {
    const unknown = "unknown type or truncated at byte 0";
    expect(wrongWith(0xd4, type, 0)).toBe(unknown);
    expect(wrongWith(0xd6, type, 0, 0, 0, 0)).toBe(unknown);
    expect(wrongWith(0xc7, 1, type, 0)).toBe(unknown);
    expect(wrongWith(0xc8, 0, 1, type, 0)).toBe(unknown);
  });

  /** Each names an object, and reads on for it: what looks like a flat array is a tower as high as it is long. */
  test("that read on behind their end cannot overflow the stack, nor make a record's meaning depend on it", () => {
    const height = 40_000;
    const tower = Buffer.alloc(5 + height * 6 + 1);
    tower[0] = 0xdd;
    tower.writeUInt32BE(height + 1, 1);
    for (let i = 0; i < height; i++) {
      tower.set([0xd6, 0x69], 5 + i * 6);
      tower.writeUInt32BE(i, 7 + i * 6);
    }
    expect(() => decodeValue(tower)).toThrow("unknown type or truncated at byte 5");
    expect(decodeRecord("submit", tower)).toEqual({ ok: false, kind: "version is no count" });
    const submit = Buffer.concat([new Packr().pack([1, "c1", 1, []]), tower]);
    // One field more, as later code may add: it is passed over, and looked at as a whole before.
    submit[0] = 0x95;
    expect(decodeRecord("submit", submit)).toEqual({
      ok: false,
      kind: `not msgpack: unknown type or truncated at byte ${submit.length - tower.length + 5}`,
    });
  });
});
