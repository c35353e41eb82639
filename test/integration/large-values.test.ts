/** Values that no record holds: stored beside the log by whoever makes them, read through the leader, on a real server. */
import { createHash, randomBytes } from "node:crypto";
import { ResultExpiredError, ValueDamagedError } from "@weft/client";
import { BlobId, encodeBlobRef, Identity, InstanceId, Namespace, Subjects, TaskId } from "@weft/protocol";
import { startTestCluster, type TestCluster, waitUntil } from "@weft/testing";
import { BlobReader, type Connection, closeConnection, openConnection } from "@weft/transport";
import { defineTask } from "@weft/worker";
import { afterAll, beforeAll, expect, test } from "vitest";

const file = new URL("../fixtures/large-tasks.ts", import.meta.url).href;
const subjects = new Subjects(Namespace.parse("default"));
let cluster: TestCluster;
/** With all rights. */
let admin: Connection;

beforeAll(async () => {
  cluster = await startTestCluster({ worker: { files: [file], slots: 4 } });
  admin = await openConnection(Identity.parse("admin"), InstanceId.create(), { servers: cluster.server.url });
});
afterAll(async () => {
  await closeConnection(admin);
  await cluster.stop();
});

const bytesOf = (length: number): Uint8Array => Uint8Array.from(randomBytes(length));
const digestOf = (bytes: Uint8Array): string => createHash("sha256").update(bytes).digest("hex");
const chunksOf = async (connection: Connection, task: string): Promise<string[]> => {
  const all = await connection.stream(subjects.blobStream(0)).subjects(subjects.blobAll(0));
  return all.filter((subject) => subject.includes(task)).toSorted();
};

test.each([
  ["5 KB", 5_000],
  ["64 KB and a little", 65_600],
  ["5 MB", 5_000_000],
])("%s travel as argument, as dependency and as result, whatever runs the code", async (_, length) => {
  const weft = await cluster.client();
  const bytes = bytesOf(length);
  const digest = digestOf(bytes);
  for (const executor of ["inline", "thread", "process"]) {
    const made = weft.submit<Uint8Array>(`${executor}-echo`, bytes);
    const told = weft.submit<string[]>(`${executor}-digests`, undefined, { dependsOn: [made, made] });
    expect(digestOf(await made.result())).toBe(digest);
    expect(await told.result()).toEqual([digest, digest]);
  }
});

test("a task follows its argument into the log, its dependents wait for it, and others overtake both", async () => {
  const weft = await cluster.client();
  const order: string[] = [];
  const large = weft.submit("inline-echo", bytesOf(5_000_000));
  const dependent = weft.submit<string[]>("inline-digests", undefined, { dependsOn: [large] });
  const other = weft.submit("inline-echo", 1);
  for (const [name, handle] of Object.entries({ large, dependent, other }))
    handle.accepted.then(
      () => order.push(name),
      () => undefined,
    );
  expect(await dependent.result()).toHaveLength(1);
  expect(order).toEqual(["other", "large", "dependent"]);
});

test("an argument of which a chunk is lost fails its task by name, and what was written over too", async () => {
  const weft = await cluster.client();
  const lost = weft.submit("later", bytesOf(600_000));
  const changed = weft.submit("later", bytesOf(600_000));
  await Promise.all([lost.accepted, changed.accepted]);
  const [, second = ""] = await chunksOf(admin, lost.id);
  await admin.stream(subjects.blobStream(0)).purge({ subject: second });
  const [first = ""] = await chunksOf(admin, changed.id);
  await admin.nats.request(first, bytesOf(256 * 1024), { timeout: 2_000 });
  await cluster.worker({ tasks: { later: defineTask("later", () => "ran") }, slots: 2 });
  for (const [handle, why] of [
    [lost, "chunk 1 of 3 is missing"],
    [changed, "bytes are not those that were stored"],
  ] as const) {
    const { outcome, error } = await handle.settled();
    expect(outcome).toBe("failed");
    expect((error?.cause as Error).name).toBe("ValueDamagedError");
    expect((error?.cause as Error).message).toContain(why);
  }
});

test("a result that is not what was stored rejects with a typed error, and is no other value", async () => {
  const weft = await cluster.client();
  const made = weft.submit("inline-echo", bytesOf(600_000));
  await made.result();
  const mine = await chunksOf(admin, `${made.id}-r`);
  expect(mine).toHaveLength(3);
  await admin.nats.request(mine[2] ?? "", new Uint8Array(10), { timeout: 2_000 });
  const again = await cluster.client();
  const { outcome, error } = await again.handle(made.id).settled();
  expect(outcome).toBe("succeeded");
  expect(error).toBeInstanceOf(ValueDamagedError);
});

test("what is gone with its task is said to be expired", async () => {
  const task = TaskId.create(0, 0);
  const id = BlobId.create({ task, attempt: 1 }, 0, (length) => "x".repeat(length));
  const ref = { identity: Identity.parse("worker"), id, bytes: 9, chunkBytes: 9, digest: new Uint8Array(32) };
  const reading = new BlobReader(admin, subjects).read(encodeBlobRef(ref));
  await expect(reading).rejects.toThrow(ResultExpiredError);
});

test("a full store loses nothing: who stores is told, and goes on when there is room", async () => {
  await using own = await startTestCluster();
  const namespace = "small";
  const create = { logBytesMax: 4 * 1024 ** 2 };
  const coordinator = await own.coordinator({ namespace, create });
  await coordinator.untilLeading();
  await own.worker({ namespace, files: [file], slots: 1 });
  const errors: Error[] = [];
  const weft = await own.client({ namespace, onError: (error) => errors.push(error) });
  const bytes = bytesOf(6 * 1024 ** 2);
  const large = weft.submit<Uint8Array>("inline-echo", bytes);
  await waitUntil(() => errors.some((error) => error.name === "AppendRefusedError"));
  expect(await weft.submit("inline-echo", "small ones go on").result()).toBe("small ones go on");
  const connection = await openConnection(Identity.parse("admin"), InstanceId.create(), {
    servers: own.server.url,
  });
  const store = connection.stream(new Subjects(Namespace.parse(namespace)).blobStream(0));
  expect((await store.info()).bytesMax).toBe(create.logBytesMax);
  await store.configure({ bytesMax: 32 * 1024 ** 2 });
  expect(digestOf(await large.result())).toBe(digestOf(bytes));
  await closeConnection(connection);
});

test("what no task needs is removed once it is old enough, and what one needs stays", async () => {
  const largeValues = { unneededMs: 2_000, everyMs: 100 };
  await using own = await startTestCluster({ worker: { files: [file], slots: 2 } });
  const first = own.leader();
  const next = await own.coordinator({ largeValues });
  await first.stop();
  await next.untilLeading();
  const connection = await openConnection(Identity.parse("admin"), InstanceId.create(), {
    servers: own.server.url,
  });
  const bytes = bytesOf(600_000);
  const weft = await own.client();
  const settled = weft.submit<Uint8Array>("inline-echo", bytes);
  const waiting = weft.submit("nobody-runs-this", bytes);
  const brokenOff = await own.client();
  const orphan = brokenOff.submit("inline-echo", new Uint8Array(100_000_000));
  await waitUntil(async () => (await chunksOf(connection, orphan.id)).length > 1);
  await brokenOff.close({ timeoutMs: 0 });
  await settled.result();
  await waiting.accepted;
  expect(await chunksOf(connection, `${settled.id}-a`)).toHaveLength(3);
  await waitUntil(async () => (await chunksOf(connection, orphan.id)).length === 0);
  await waitUntil(async () => (await chunksOf(connection, `${settled.id}-a`)).length === 0);
  expect(await chunksOf(connection, `${settled.id}-r`)).toHaveLength(3);
  expect(await chunksOf(connection, `${waiting.id}-a`)).toHaveLength(3);
  const again = await own.client();
  expect(digestOf(await again.handle<Uint8Array>(settled.id).result())).toBe(digestOf(bytes));
  await closeConnection(connection);
});
