import { expect, test } from "vitest";
import { readBytes } from "../src/wire-cursor.ts";
import { WireWriter } from "../src/wire-writer.ts";

const text = (length: number, of: string): string => of.repeat(length);

test("what was taken stays as it is, however much is written after it", () => {
  const writer = new WireWriter();
  const taken: { readonly bytes: Uint8Array; readonly copy: Uint8Array }[] = [];
  // Small ones that share their room, and large ones in between, for several times the room that there is.
  for (let round = 0; round < 3_000; round++) {
    writer.text(text(round % 500 === 0 ? 200_000 : round % 90, String.fromCharCode(97 + (round % 26))));
    const bytes = writer.take();
    taken.push({ bytes, copy: Uint8Array.from(bytes) });
  }
  for (const { bytes, copy } of taken) expect(Buffer.compare(bytes, copy)).toBe(0);
});

test("of a writer that copies nothing it stays as well, and a list may tell its length last", () => {
  const writer = new WireWriter(1_000, Number.POSITIVE_INFINITY);
  const taken: { readonly bytes: Uint8Array; readonly length: number }[] = [];
  for (let length = 0; length < 300; length++) {
    writer.count(length);
    const place = writer.openList();
    for (let i = 0; i < length; i++) writer.text(text(i % 50, "x"));
    writer.lengthOfList(place, length);
    taken.push({ bytes: writer.take(), length });
  }
  for (const { bytes, length } of taken) {
    const read = readBytes(bytes, (from) => {
      const first = from.count("first");
      const texts = Array.from({ length: from.list("list") }, () => from.text("text", 50));
      return { first, texts };
    });
    const texts = Array.from({ length }, (_, i) => text(i % 50, "x"));
    expect(read).toEqual({ ok: true, value: { first: length, texts } });
  }
});

test("a text of any characters and length is read back, wherever in its room it is written", () => {
  const kinds = ["x", "é", "€", "\u{1f600}"];
  const texts = Array.from({ length: 70 }, (_, length) =>
    kinds.flatMap((kind) => [
      text(length, kind),
      `${text(length, "x")}${kind}`,
      `${kind}${text(length, "x")}`,
    ]),
  ).flat();
  const writer = new WireWriter(300, 0);
  for (const before of [0, 1, 2, 3, 5, 8, 13, 21, 34, 55]) {
    for (const each of texts) {
      writer.text(text(before, "-"));
      writer.text(each);
      const read = readBytes(writer.take(), (from) => [from.text("before", 99), from.text("text", 200)]);
      expect(read).toEqual({ ok: true, value: [text(before, "-"), each] });
    }
  }
});
