/** What the writer writes is MessagePack, and the cursor reads what any writer of it wrote. */
import fc from "fast-check";
import { Packr } from "msgpackr";
import { describe, expect, test } from "vitest";
import { readBytes, type WireCursor } from "../src/wire-cursor.ts";
import { type WireWriter, written } from "../src/wire-writer.ts";

const packr = new Packr({ useRecords: false });

type Field =
  | { readonly type: "count"; readonly value: number }
  | { readonly type: "flag"; readonly value: boolean }
  | { readonly type: "text"; readonly value: string }
  | { readonly type: "bytes"; readonly value: Uint8Array | null };

const field: fc.Arbitrary<Field> = fc.oneof(
  fc.record({
    type: fc.constant("count" as const),
    value: fc.oneof(
      fc.nat(300),
      fc.constantFrom(127, 128, 255, 256, 65_535, 65_536, 2 ** 32 - 1, 2 ** 32),
      fc.maxSafeNat(),
    ),
  }),
  fc.record({ type: fc.constant("flag" as const), value: fc.boolean() }),
  fc.record({
    type: fc.constant("text" as const),
    value: fc.oneof(
      fc.string({ unit: "binary", maxLength: 80 }),
      fc.nat(70_000).map((length) => "é".repeat(length)),
    ),
  }),
  fc.record({
    type: fc.constant("bytes" as const),
    value: fc.option(
      fc.oneof(
        fc.uint8Array({ maxLength: 300 }),
        fc.nat(200_000).map((n) => new Uint8Array(n)),
      ),
    ),
  }),
);

function write(out: WireWriter, { type, value }: Field): void {
  if (type === "count") out.count(value);
  else if (type === "flag") out.flag(value);
  else if (type === "text") out.text(value);
  else out.bytesOrNull(value);
}

function readField(from: WireCursor, { type, value }: Field): unknown {
  if (type === "count") return from.count("it");
  if (type === "flag") return from.flag("it");
  if (type === "text") return from.text("it", value.length);
  return from.bytesOrNull("it");
}

const plain = (value: unknown): unknown => (value instanceof Uint8Array ? [...value] : value);

describe("what the writer writes", () => {
  test("msgpackr reads, and the cursor", () => {
    fc.assert(
      fc.property(fc.array(field, { maxLength: 40 }), (fields) => {
        const bytes = written((out) => {
          out.list(fields.length);
          for (const each of fields) write(out, each);
        });
        const wanted = fields.map(({ value }) => plain(value));
        expect((packr.unpack(bytes) as unknown[]).map(plain)).toEqual(wanted);
        const read = readBytes(bytes, (from) => {
          from.list("all");
          return fields.map((each) => plain(readField(from, each)));
        });
        expect(read).toEqual({ ok: true, value: wanted });
      }),
      { numRuns: 60 },
    );
  });

  test("is whole for long lists and what msgpackr packs", () => {
    for (const length of [0, 15, 16, 65_535, 65_536]) {
      const bytes = written((out) => {
        out.list(2);
        out.list(length);
        for (let i = 0; i < length; i++) out.nil();
        out.packed({ a: [1, "b"] });
      });
      expect(packr.unpack(bytes)).toEqual([new Array(length).fill(null), { a: [1, "b"] }]);
    }
  });

  test("is bytes of its own, whatever is written next", () => {
    const first = written((out) => out.text("first"));
    written((out) => out.text("other"));
    expect(packr.unpack(first)).toBe("first");
  });

  test("is thrown away where writing it failed", () => {
    const failing = (): Uint8Array =>
      written((out) => {
        out.text("half");
        throw new Error("no more");
      });
    expect(failing).toThrow("no more");
    expect(packr.unpack(written((out) => out.count(7)))).toBe(7);
  });

  test("is not mixed with what is written inside of it", () => {
    const inside = (): Uint8Array => written((out) => out.bytes(written((inner) => inner.nil())));
    expect(inside).toThrow("while another is");
    expect(packr.unpack(written((out) => out.count(7)))).toBe(7);
  });
});

describe("the cursor", () => {
  test("reads what msgpackr packed", () => {
    fc.assert(
      fc.property(fc.array(field, { maxLength: 20 }), (fields) => {
        const bytes = packr.pack(
          fields.map(({ type, value }) => (type === "bytes" && value !== null ? Buffer.from(value) : value)),
        );
        const read = readBytes(bytes, (from) => {
          from.list("all");
          return fields.map((each) => plain(readField(from, each)));
        });
        expect(read).toEqual({ ok: true, value: fields.map(({ value }) => plain(value)) });
      }),
      { numRuns: 60 },
    );
  });

  test("refuses what is cut off, wherever that is, and what follows the end", () => {
    const bytes = packr.pack(["text", 70_000, Buffer.alloc(300), true, null, [1, 2]]);
    const read = (given: Uint8Array): boolean =>
      readBytes(given, (from) => {
        from.list("all");
        return [
          from.text("it", 9),
          from.count("it"),
          from.bytes("it"),
          from.flag("it"),
          from.isNil(),
          from.packed(),
        ];
      }).ok;
    expect(read(bytes)).toBe(true);
    for (let end = 0; end < bytes.length; end++) expect(read(bytes.subarray(0, end))).toBe(false);
    expect(read(Buffer.concat([bytes, Buffer.of(0xc0)]))).toBe(false);
  });

  test("gives a name back that is the one before, and refuses characters that names have not", () => {
    const read = (value: string): unknown =>
      readBytes(packr.pack(value), (from) => from.name("name", 8, "echo"));
    expect(read("echo")).toEqual({ ok: true, value: "echo" });
    expect(read("other-1")).toEqual({ ok: true, value: "other-1" });
    for (const wrong of ["", "Echo", "e.o", "écho", "ninechars"])
      expect(read(wrong)).toEqual({ ok: false, kind: "name is not well formed" });
  });
});
