import { expect, test } from "vitest";
import { type Column, swapBytes } from "../src/core/codec/byte-order.ts";
import { StateReader } from "../src/core/codec/state-reader.ts";
import { HEADER_BYTES, StateWriter } from "../src/core/codec/state-writer.ts";

const COLUMNS: readonly [Column, readonly number[]][] = [
  [Uint32Array.of(9, 0x01020304, 0xfffefdfc, 9), [4, 3, 2, 1, 0xfc, 0xfd, 0xfe, 0xff]],
  [Uint16Array.of(9, 0x0102, 0xfffe, 9), [2, 1, 0xfe, 0xff]],
];

test.each(COLUMNS)(
  "a part of a column is little-endian in a checkpoint, and read back from it",
  (column, bytes) => {
    const to = new StateWriter();
    to.columns(column, 1, 3);
    const chunk = to.take(true);
    expect([...chunk.subarray(HEADER_BYTES)]).toEqual(bytes);
    const from = new StateReader();
    from.open(chunk);
    const read = column.map(() => 0);
    from.columns(read, 1, 3);
    expect([...read]).toEqual([0, column[1], column[2], 0]);
  },
);

test.each([
  [4, [4, 3, 2, 1, 8, 7, 6, 5]],
  [2, [2, 1, 4, 3, 6, 5, 8, 7]],
])("numbers of %d bytes are turned round, each in its place", (size, turned) => {
  const bytes = Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8);
  swapBytes(bytes, size);
  expect([...bytes]).toEqual(turned);
});
