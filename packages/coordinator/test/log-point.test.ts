/** How a stream stands to a point of a history that was folded. */
import type { Stream } from "@weft/transport";
import { expect, test } from "vitest";
import { digestOf, standingOf } from "../src/shell/log-point.ts";

const record = { seq: 7, subject: "log.submit", data: Uint8Array.of(1, 2, 3), stampMs: 1_000 };
const point = { seq: 7, digest: digestOf(record) };

function streamWith(found: typeof record | null, firstSeq = 1, lastSeq = 9): Stream {
  const stream = { info: async () => ({ firstSeq, lastSeq }), message: async () => found };
  return stream as unknown as Stream;
}

test("it agrees with the record that was there, and with nothing else in its place", async () => {
  expect(await standingOf(streamWith(record), point)).toBe("agrees");
  expect(await standingOf(streamWith({ ...record, data: Uint8Array.of(1) }), point)).toBe("differs");
  expect(await standingOf(streamWith({ ...record, subject: "log.finish" }), point)).toBe("differs");
});

test("the same record that was sent again after the end of the log was lost is another one", async () => {
  expect(await standingOf(streamWith({ ...record, stampMs: 1_001 }), point)).toBe("differs");
});

test("a log that ends before it differs, one that begins behind it is purged", async () => {
  expect(await standingOf(streamWith(null, 1, 6), point)).toBe("differs");
  expect(await standingOf(streamWith(null, 9, 9), point)).toBe("purged");
  expect(await standingOf(streamWith(null, 8, 9), point)).toBe("agrees");
});
