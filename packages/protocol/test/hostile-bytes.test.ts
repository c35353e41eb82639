/** Bytes of anybody: a reader says what is wrong with them, and never throws, hangs or remembers them. */
import {
  decodeFailure,
  decodeProgress,
  decodeRecord,
  decodeValue,
  EncodingError,
  encodeFailure,
  encodeRecord,
  encodeValue,
  failureOf,
  LOG_KINDS,
} from "@weft/protocol";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { record } from "./arbitraries.ts";
import { CODECS } from "./message-arbitraries.ts";

/** Heads of MessagePack types and of msgpackr's extensions, which plain random bytes seldom hit. */
const TELLING = [
  0x80, 0x81, 0x90, 0x92, 0xc1, 0xc4, 0xc7, 0xc8, 0xc9, 0xcb, 0xd3, 0xd4, 0xd5, 0xd6, 0xd7, 0xd8, 0xdc, 0xdd,
  0xdf, 0x00, 0x40, 0x42, 0x62, 0x65, 0x69, 0x70, 0x72, 0x73, 0x74, 0x78, 0xff,
];
const noise = fc
  .array(fc.oneof(fc.constantFrom(...TELLING), fc.nat({ max: 255 })), { maxLength: 60 })
  .map((all) => Uint8Array.from(all));

/** Sound bytes with bits flipped and the end cut off. */
function damaged(sound: fc.Arbitrary<Uint8Array>): fc.Arbitrary<Uint8Array> {
  return fc
    .tuple(
      sound,
      fc.array(fc.tuple(fc.nat(), fc.nat({ max: 7 })), { maxLength: 4 }),
      fc.double({ min: 0, max: 2, noNaN: true }),
    )
    .map(([bytes, flips, cut]) => {
      const copy = Uint8Array.from(bytes);
      for (const [at, bit] of flips) {
        const where = at % copy.length;
        copy[where] = (copy[where] ?? 0) ^ (1 << bit);
      }
      return cut < 1 ? copy.subarray(0, Math.floor(copy.length * cut)) : copy;
    });
}

const RUNS = { numRuns: 2_000 };
const READING = { ok: expect.any(Boolean) as boolean };

describe("a record of random or damaged bytes", () => {
  const records = record.map(encodeRecord);
  test.each(LOG_KINDS)("reads as sound or void on a %s subject", (kind) => {
    fc.assert(
      fc.property(fc.oneof(noise, records, damaged(records)), (bytes) => {
        const read = decodeRecord(kind, bytes);
        expect(read).toMatchObject(READING);
        if (!read.ok) expect(read.kind.length).toBeGreaterThan(0);
        else expect(read.value.type).toBe(kind);
      }),
      RUNS,
    );
  });

  test("that is cut anywhere is void", () => {
    fc.assert(
      fc.property(record, fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }), (each, part) => {
        const bytes = encodeRecord(each);
        const cut = bytes.subarray(0, Math.floor(bytes.length * part));
        expect(decodeRecord(each.type, cut)).toMatchObject({ ok: false });
        const longer = Buffer.concat([bytes, Buffer.of(0xc0)]);
        expect(decodeRecord(each.type, longer)).toEqual({
          ok: false,
          kind: "not msgpack: bytes after the end",
        });
      }),
      RUNS,
    );
  });

  test("leaves nothing behind: the next record reads as if it had never been", () => {
    fc.assert(
      fc.property(noise, record, (bytes, next) => {
        decodeRecord("submit", bytes);
        expect(decodeRecord(next.type, encodeRecord(next))).toEqual({ ok: true, value: next });
      }),
      RUNS,
    );
  });
});

describe.each(CODECS)("a $name of random or damaged bytes", ({ sample, decode }) => {
  test("reads as sound or not", () => {
    const sound = sample.map(({ wire }) => wire);
    fc.assert(
      fc.property(fc.oneof(noise, damaged(sound)), (bytes) => {
        expect(decode(bytes)).toMatchObject(READING);
      }),
      RUNS,
    );
  });
});

describe("damaged", () => {
  test("values are refused with an EncodingError, if they are not values still", () => {
    const sound = fc
      .object({ withBigInt: true, withDate: true, withTypedArray: true })
      .map((each) => encodeValue(each, "it"));
    fc.assert(
      fc.property(fc.oneof(noise, damaged(sound)), (bytes) => {
        try {
          decodeValue(bytes);
        } catch (error) {
          expect(error).toBeInstanceOf(EncodingError);
        }
      }),
      RUNS,
    );
  });

  test("failures are still failures", () => {
    const sound = fc
      .string()
      .map((message) => encodeFailure(failureOf(new TypeError(message, { cause: new Error("why") }))));
    fc.assert(
      fc.property(fc.oneof(noise, damaged(sound)), (bytes) => {
        const { name, message, cause } = decodeFailure(bytes);
        expect([typeof name, typeof message, typeof cause]).toEqual(["string", "string", "object"]);
      }),
      RUNS,
    );
    expect(decodeFailure(Uint8Array.of(0xc1))).toMatchObject({ name: "UnreadableFailure" });
    // An array of 64-bit numbers that is one byte long.
    expect(decodeFailure(Uint8Array.of(0xd5, 0x74, 9, 0))).toMatchObject({ name: "UnreadableFailure" });
  });

  test("progress is none", () => {
    fc.assert(
      fc.property(
        fc.oneof(
          noise,
          fc.json().map((json) => Buffer.from(json)),
        ),
        (bytes) => {
          expect(decodeProgress(bytes)).toBeNull();
        },
      ),
      RUNS,
    );
  });
});
