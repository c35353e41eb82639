import { expect, test } from "vitest";
import { heldBytes } from "../../testing/src/index.ts";
import { PackedValues } from "../src/shell/packed-values.ts";
import { RecordCache, type RecordCacheBounds } from "../src/shell/record-cache.ts";

const packed = (byte: number): PackedValues => new PackedValues([Uint8Array.of(byte)]);

function cacheOf(bounds: Partial<RecordCacheBounds> = {}): {
  readonly cache: RecordCache;
  readonly at: (seq: number) => number | undefined;
} {
  const cache = new RecordCache({ bytesMax: 1_000_000, recordsMax: 10, ...bounds });
  return { cache, at: (seq) => cache.peek({ seq, index: 0 })?.[0] };
}

test("a record that was asked for before it came is found once it is there", () => {
  const { cache, at } = cacheOf();
  expect(at(1)).toBeUndefined();
  cache.keep(1, packed(7));
  expect(at(1)).toBe(7);
});

test("one that comes again stands for the one before", () => {
  const { cache, at } = cacheOf();
  cache.keep(1, packed(7));
  expect(at(1)).toBe(7);
  cache.keep(1, packed(8));
  expect(at(1)).toBe(8);
});

test("what made room for newer ones is gone, though it was the last that was asked for", () => {
  const { cache, at } = cacheOf({ recordsMax: 2 });
  cache.keep(1, packed(1));
  expect(at(1)).toBe(1);
  cache.keep(2, packed(2));
  expect(at(1)).toBe(1);
  cache.keep(3, packed(3));
  expect([1, 2, 3].map(at)).toEqual([undefined, 2, 3]);
});

test("it leaves with the last task that needs it", () => {
  const { cache, at } = cacheOf();
  cache.keep(1, packed(1), 2);
  cache.release(1);
  expect(at(1)).toBe(1);
  cache.release(1);
  expect(at(1)).toBeUndefined();
  cache.release(1);
  expect(at(1)).toBeUndefined();
});

test("nothing is held of records that left with their tasks, however many there were", () => {
  const { cache, at } = cacheOf({ recordsMax: Number.POSITIVE_INFINITY });
  const values = packed(1);
  let before = 0;
  for (let seq = 1; seq <= 110_000; seq++) {
    if (seq === 10_000) before = heldBytes().all;
    cache.keep(seq, values, 1);
    cache.release(seq - 5);
  }
  expect(heldBytes().all - before).toBeLessThan(1_000_000);
  expect(at(110_000)).toBe(1);
});

test("where it makes room, at least fifteen sixteenths of what it may hold stay", () => {
  const { cache, at } = cacheOf({ recordsMax: 160 });
  for (let seq = 1; seq <= 1_000; seq++) {
    cache.keep(seq, packed(1));
    const oldest = Math.max(1, seq - 149);
    expect([at(oldest), at(seq - 160)]).toEqual([1, undefined]);
  }
});

test("it goes on to make room after it was empty", () => {
  const { cache, at } = cacheOf({ recordsMax: 1 });
  for (let seq = 1; seq <= 10; seq++) {
    cache.keep(seq, packed(seq), 1);
    cache.keep(100 + seq, packed(seq), 1);
    expect([at(seq), at(100 + seq)]).toEqual([undefined, seq]);
    cache.release(100 + seq);
    expect(at(100 + seq)).toBeUndefined();
  }
});

test("what is too large for it alone is not kept", () => {
  const { cache, at } = cacheOf({ bytesMax: 500 });
  cache.keep(1, new PackedValues([new Uint8Array(1_000)]));
  cache.keep(2, packed(2));
  expect([1, 2].map(at)).toEqual([undefined, 2]);
});
