/** The store of checkpoints against a real server, and what becomes of those that are damaged on purpose. */
import { ControlSecret, Identity, InstanceId, Namespace, Subjects } from "@weft/protocol";
import { closeConnection, openConnection, type SystemConnection } from "@weft/transport";
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "vitest";
import { type NatsServer, startNatsServer } from "../../testing/src/index.ts";
import type { CheckpointManifest } from "../src/shell/checkpoint-manifest.ts";
import { CheckpointStore } from "../src/shell/checkpoint-store.ts";
import { createNamespace, type NamespaceConfig } from "../src/shell/namespace.ts";

let server: NatsServer;
let connection: SystemConnection;
let config: NamespaceConfig;
let subjects: Subjects;
let store: CheckpointStore;
let names = 0;

beforeAll(async () => {
  server = await startNatsServer();
});
afterAll(() => server.stop());

beforeEach(async () => {
  connection = await openConnection(Identity.parse("coordinator"), InstanceId.create(), {
    servers: server.url,
  });
  config = await createNamespace(connection.nats, Namespace.parse(`n${names++}`), {
    logBytesMax: 1024 ** 2,
  });
  subjects = new Subjects(config.namespace);
  store = new CheckpointStore({ connection, subjects, secret: config.secret });
});
afterEach(() => closeConnection(connection));

const CHUNK_BYTES = 1_000;
const chunksOf = (seed: number, count: number): Uint8Array[] =>
  Array.from({ length: count }, (_, i) => new Uint8Array(CHUNK_BYTES).fill((seed + i) % 251));

function write(seq: number, count = 20, into: CheckpointStore = store): Promise<CheckpointManifest> {
  return into.write({
    point: { seq, digest: `digest-${seq}` },
    foldVersion: 1,
    format: 1,
    chunks: chunksOf(seq, count),
  });
}

async function readAll(manifest: CheckpointManifest): Promise<Uint8Array[]> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of store.read(manifest)) chunks.push(new Uint8Array(chunk));
  return chunks;
}

const seqs = async (): Promise<number[]> => (await store.list()).map(({ point }) => point.seq);
const put = (subject: string, data: Uint8Array | string): Promise<unknown> =>
  connection.nats.request(subject, data, { timeout: 2_000 });

test("what is written is read back chunk by chunk, with its point and fold version", async () => {
  const written = await write(100, 50);
  const [manifest] = await store.list();
  expect(manifest).toEqual(written);
  expect(manifest).toMatchObject({
    point: { seq: 100, digest: "digest-100" },
    foldVersion: 1,
    bytes: 50 * CHUNK_BYTES,
  });
  expect(await readAll(written)).toEqual(chunksOf(100, 50));
});

test("three are kept, the newest first, and the oldest is written over", async () => {
  expect(await seqs()).toEqual([]);
  for (const seq of [10, 20, 30, 40]) await write(seq, 3);
  expect(await seqs()).toEqual([40, 30, 20]);
  for (const manifest of await store.list())
    expect(await readAll(manifest)).toEqual(chunksOf(manifest.point.seq, 3));
});

test("one that is shorter than the one before it in its slot leaves nothing of that behind", async () => {
  for (const seq of [10, 20, 30]) await write(seq, 30);
  const { slot } = await write(40, 2);
  const stream = connection.stream(subjects.checkpointStream(0));
  expect(await stream.lastMessage(subjects.checkpointChunk(0, slot, 1))).not.toBeNull();
  expect(await stream.lastMessage(subjects.checkpointChunk(0, slot, 2))).toBeNull();
});

test("a half-written one is none: its writer died before the last chunk", async () => {
  await write(10);
  const dying = function* (): Generator<Uint8Array> {
    yield* chunksOf(1, 5);
    throw new Error("killed");
  };
  const half = { point: { seq: 20, digest: "d" }, foldVersion: 1, format: 1 };
  await expect(store.write({ ...half, chunks: dying() })).rejects.toThrow("killed");
  expect(await seqs()).toEqual([10]);
  await write(30);
  expect(await seqs()).toEqual([30, 10]);
});

test("a chunk that changed is found out before it is handed on, and so is one that is gone", async () => {
  const manifest = await write(10, 20);
  await put(subjects.checkpointChunk(0, manifest.slot, 12), "rotten");
  const seen: Uint8Array[] = [];
  const reading = (async () => {
    for await (const chunk of store.read(manifest)) seen.push(chunk);
  })();
  await expect(reading).rejects.toMatchObject({
    code: "weft_checkpoint_damaged",
    message: "the checkpoint at record 10 is damaged: chunk 12 of 20 has changed",
  });
  expect(seen).toHaveLength(12);
  const second = await write(20, 3);
  await connection
    .stream(subjects.checkpointStream(0))
    .purge({ subject: subjects.checkpointChunk(0, second.slot, 1) });
  await expect(readAll(second)).rejects.toThrow("chunk 1 of 3 is missing");
});

test.each(["", "{", "[]", "null", '{"version":1}', '{"version":99,"log":"x"}'])(
  "a last chunk that is none is passed over: %s",
  async (text) => {
    const first = await write(10, 2);
    const second = await write(20, 2);
    await put(subjects.checkpointChunk(0, second.slot, "last"), text);
    expect(await store.list()).toEqual([first]);
  },
);

test("those of a log that was there before under the same name are no checkpoints of this one", async () => {
  await write(10, 2);
  const other = new CheckpointStore({ connection, subjects, secret: ControlSecret.create() });
  expect(await other.list()).toEqual([]);
});

test("two writers at once never leave one that is read as whole and is not", async () => {
  await Promise.all([write(10, 40), write(11, 40)]);
  for (const manifest of await store.list()) {
    const read = await readAll(manifest).catch((error: unknown) => error as Error);
    if (read instanceof Error) expect(read).toMatchObject({ code: "weft_checkpoint_damaged" });
    else expect(read).toEqual(chunksOf(manifest.point.seq, 40));
  }
});

test("writing goes on over a restart of the server", { timeout: 60_000 }, async () => {
  const slow = function* (): Generator<Uint8Array> {
    for (const [i, chunk] of chunksOf(7, 200).entries()) {
      if (i === 100) restarted = server.restart();
      yield chunk;
    }
  };
  let restarted: Promise<void> | null = null;
  const content = { point: { seq: 5, digest: "d" }, foldVersion: 1, format: 1 };
  const manifest = await store.write({ ...content, chunks: slow() });
  await restarted;
  // All may have been written before the server went down: the connection must be back.
  await connection.nats.flush();
  expect(await readAll(manifest)).toEqual(chunksOf(7, 200));
});

test("a namespace of an older version, which has no such stream, is given one", async () => {
  await connection.nats.request(`$JS.API.STREAM.DELETE.${subjects.checkpointStream(0)}`, "", {
    timeout: 2_000,
  });
  await expect(store.list()).rejects.toThrow("stream not found");
  await createNamespace(connection.nats, config.namespace);
  await write(10, 2);
  expect(await seqs()).toEqual([10]);
});
