/** How large values are stored: what is on its way, what is repeated, what is refused. On simulated time. */
import { createHash } from "node:crypto";
import {
  BlobId,
  decodeBlobRef,
  Namespace,
  Subjects,
  TaskId,
  TooManyPendingError,
  UNSTORED_BYTES_MAX,
} from "@weft/protocol";
import { beforeEach, expect, test } from "vitest";
import { FakeBus } from "../../testing/src/simulation/fake-bus.ts";
import { BlobWriter } from "../src/blob-writer.ts";

const subjects = new Subjects(Namespace.parse("default"));
const task = TaskId.parse(`00aaaa${"x".repeat(16)}`);
const sizes = { inlineBytesMax: 10, chunkBytes: 4 };

let bus: FakeBus;
let writer: BlobWriter;
/** Time that has passed without anything that would have happened in it. */
let aheadMs: number;
/** Chunks in the order in which they came, and who is to be told. */
let came: { readonly subject: string; readonly data: Uint8Array; readonly acknowledge: () => void }[];

beforeEach(() => {
  bus = new FakeBus();
  came = [];
  let seq = 0;
  const server = bus.connection("coordinator", bus.process("server"));
  server.nats.subscribe(subjects.blobAll(0), {
    callback: (_, message) => {
      const ack = JSON.stringify({ stream: subjects.blobStream(0), seq: ++seq });
      const acknowledge = (): void => void message.respond(new TextEncoder().encode(ack));
      came.push({ subject: message.subject, data: Uint8Array.from(message.data), acknowledge });
    },
  });
  aheadMs = 0;
  const connection = bus.connection("client", bus.process("c1"));
  const clock = { ...connection.clock, nowMs: () => connection.clock.nowMs() + aheadMs };
  writer = new BlobWriter({ connection: { ...connection, clock }, subjects, sizes });
});

const value = Uint8Array.from({ length: 41 }, (_, i) => i);

test("what is above the bound is large", () => {
  expect(writer.isLarge(new Uint8Array(10))).toBe(false);
  expect(writer.isLarge(new Uint8Array(11))).toBe(true);
});

test("the first chunk is acknowledged before another leaves, and all are before the reference is there (B1, B2)", async () => {
  const storing = writer.store(value, { task, attempt: 2 });
  let reference: Uint8Array | null = null;
  storing.then(
    (stored) => {
      reference = stored;
    },
    () => undefined,
  );
  await bus.loop.play(bus.loop.nowMs + 1_000, () => false);
  expect(came.map(({ subject }) => subject.split(".").at(-1))).toEqual(["0"]);
  for (let done = 0; done < came.length; ) {
    for (; done < came.length; done++) {
      expect(reference).toBeNull();
      expect(came.length - done).toBeLessThanOrEqual(4);
      came[done]?.acknowledge();
    }
    await bus.loop.play(bus.loop.nowMs + 100, () => false);
  }
  const ref = decodeBlobRef(await storing);
  expect(ref).toMatchObject({ identity: "client", bytes: 41, chunkBytes: 4 });
  expect(BlobId.read(ref?.id ?? "")).toMatchObject({ task, attempt: 2 });
  expect(ref?.digest).toEqual(Uint8Array.from(createHash("sha256").update(value).digest()));
  expect(Buffer.concat(came.map(({ data }) => data))).toEqual(Buffer.from(value));
  expect(writer.pendingBytes).toBe(0);
});

test("a chunk that nobody acknowledges is sent again until somebody does", async () => {
  const storing = writer.store(value.subarray(0, 4), { task, attempt: null });
  await bus.loop.play(bus.loop.nowMs + 7_000, () => false);
  expect(came.length).toBeGreaterThan(2);
  expect(new Set(came.map(({ subject }) => subject)).size).toBe(1);
  came[0]?.acknowledge();
  await bus.loop.play(bus.loop.nowMs + 100, () => false);
  expect(decodeBlobRef(await storing)?.bytes).toBe(4);
});

test("what took half a day to be stored is stored again: it may soon be taken for what was broken off", async () => {
  const storing = writer.store(value.subarray(0, 4), { task, attempt: null });
  aheadMs = 13 * 3_600_000;
  await bus.loop.play(bus.loop.nowMs + 100, () => false);
  const first = came.at(-1);
  first?.acknowledge();
  await bus.loop.play(bus.loop.nowMs + 100, () => false);
  const second = came.at(-1);
  expect(second?.subject).not.toBe(first?.subject);
  second?.acknowledge();
  await bus.loop.play(bus.loop.nowMs + 100, () => false);
  expect(second?.subject).toContain(decodeBlobRef(await storing)?.id);
});

test("more than a process should hold is refused, and a closed writer gives up what it has", async () => {
  const most = new Uint8Array(UNSTORED_BYTES_MAX - 10);
  writer.admit(most);
  const storing = writer.store(most, { task, attempt: null });
  writer.admit(new Uint8Array(10));
  expect(() => writer.admit(new Uint8Array(11))).toThrow(TooManyPendingError);
  writer.close();
  await expect(storing).rejects.toThrow("closed while 1 chunks of large values were not acknowledged");
  expect(writer.pendingBytes).toBe(0);
});
