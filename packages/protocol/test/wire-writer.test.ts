import { expect, test } from "vitest";
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
