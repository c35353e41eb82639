/** A log that fills up, and its way back: room for the leader, a purge, clients that hold back. */
import { type Client, connect, LogFullError, type Settlement, type TaskHandle } from "@weft/client";
import { Coordinator } from "@weft/coordinator";
import { Identity, InstanceId, Namespace, Subjects } from "@weft/protocol";
import { type NatsServer, startNatsServer, waitUntil } from "@weft/testing";
import { Worker } from "@weft/worker";
import { afterEach, beforeEach, expect, test } from "vitest";
import {
  closeConnection,
  NO_ROOM,
  openConnection,
  readAck,
  type StreamInfo,
  type SystemConnection,
} from "../../packages/transport/src/index.ts";
import { inline } from "../fixtures/inline-tasks.ts";

const subjects = new Subjects(Namespace.parse("default"));
const LIMIT = 1024 ** 2;
/** The limit with all its reserves. */
const CAP = LIMIT * 1.5;
/** Records that are void, so that nobody needs them: they take room, and a purge takes them away. */
const VOID_RECORD = new Uint8Array(64 * 1024);

let server: NatsServer;
let connection: SystemConnection;
const lines: string[] = [];
const log = (line: string): void => void lines.push(line);
const started: (() => Promise<unknown>)[] = [];

beforeEach(async () => {
  server = await startNatsServer();
  connection = await openConnection(Identity.parse("filler"), InstanceId.create(), { servers: server.url });
});
afterEach(async () => {
  for (let last = started.pop(); last !== undefined; last = started.pop()) await last();
  await closeConnection(connection);
  await server.stop();
  lines.length = 0;
});

async function coordinate(purgeAgeMs = 0): Promise<Coordinator> {
  const create = { purgeAgeMs, logBytesMax: LIMIT };
  const coordinator = await Coordinator.start({ servers: server.url, create, log });
  started.push(() => coordinator.stop());
  return coordinator;
}

async function clientOf(onError: (error: Error) => void): Promise<Client> {
  const client = await connect({ servers: server.url, onError });
  started.push(() => client.close({ timeoutMs: 0 }));
  return client;
}

const info = (): Promise<StreamInfo> => connection.stream(subjects.stream(0)).info();

/** The code of the refusal, 0 where the log took it. */
async function fill(bytes: number = VOID_RECORD.length): Promise<number> {
  const subject = subjects.log(0, "submit", connection.sender);
  const { data } = await connection.nats.request(subject, VOID_RECORD.subarray(0, bytes), { timeout: 5_000 });
  const ack = readAck(data, subjects.stream(0));
  return ack.ok ? 0 : ack.error.code;
}

/** Until no record fits any more, however small. A purge may make room again meanwhile: then for large ones first. */
async function fillUp(): Promise<void> {
  const sizes = [VOID_RECORD.length, 1_000, 1];
  for (let at = 0; at < sizes.length; ) at = (await fill(sizes[at])) === NO_ROOM ? at + 1 : 0;
}

/** Work is done, and the log has the limit that it was created with. */
async function expectRecovered(): Promise<void> {
  await waitUntil(async () => (await info()).bytesMax === LIMIT, { timeoutMs: 20_000, what: "the limit" });
  const worker = await Worker.start({ servers: server.url, tasks: inline, slots: 4 });
  started.push(() => worker.stop({ graceMs: 0 }));
  const client = await clientOf(() => undefined);
  expect(await client.submit("echo", "after").result()).toBe("after");
}

test("a leader that is refused for lack of space makes some, purges, and gives it back", async () => {
  // It stays full for longer than the leader takes from one record to the next.
  const coordinator = await coordinate(2_000);
  await coordinator.untilLeading();
  const isRaised = (): boolean => lines.some((line) => line.includes("the log is full: its limit is"));
  while (!isRaised()) await fillUp();
  await waitUntil(() => lines.some((line) => line.includes("the log is purged")), { timeoutMs: 20_000 });
  await expectRecovered();
  expect(coordinator.leading).toBe(true);
  expect(lines.filter((line) => line.includes("leads from record"))).toHaveLength(1);
});

test("a coordinator that starts on a full log becomes its leader and empties it", async () => {
  await (await coordinate()).stop();
  await fillUp();
  lines.length = 0;
  const coordinator = await coordinate();
  await coordinator.untilLeading();
  expect(lines.join("\n")).toContain("the log is full: its limit is");
  await expectRecovered();
});

test("a limit that an operator sets while the log is full is the log's limit from then on", {
  timeout: 90_000,
}, async () => {
  await (await coordinate(2_000)).untilLeading();
  const isRaised = (): boolean => lines.some((line) => line.includes("the log is full: its limit is"));
  while (!isRaised()) await fillUp();
  const larger = 4 * LIMIT;
  await connection.stream(subjects.stream(0)).configure({ bytesMax: larger });
  lines.length = 0;
  while ((await info()).bytes < larger * 0.6) await fill();
  const purged = async (): Promise<boolean> => {
    const { bytes } = await info();
    // A checkpoint that was written while it filled up keeps what came behind it, until there is a newer one and no room for both.
    const isLeft = bytes >= LIMIT / 2;
    if (isLeft && bytes < larger / 2) while ((await info()).bytes < larger * 0.6) await fill();
    return !isLeft;
  };
  await waitUntil(purged, { timeoutMs: 50_000, what: "the purge" });
  const client = await clientOf((error) => lines.push(error.name));
  await client.submit("echo", 1).accepted;
  expect(lines).not.toContain("AppendHeldError");
  expect((await info()).bytesMax).toBe(larger);
});

test("the log stays inside its limit while far more than that is written", { timeout: 120_000 }, async () => {
  await (await coordinate()).untilLeading();
  let mostBytes = 0;
  let written = 0;
  while (written < 5 * LIMIT) {
    if ((await fill()) === 0) written += VOID_RECORD.length;
    mostBytes = Math.max(mostBytes, (await info()).bytes);
  }
  expect(mostBytes).toBeLessThanOrEqual(CAP);
  await expectRecovered();
});

test("where half of the log is needed new tasks are rejected with LogFullError, until something has ended", async () => {
  await (await coordinate()).untilLeading();
  const client = await clientOf(() => undefined);
  const rejected: Settlement<unknown>[] = [];
  const handles: TaskHandle[] = [];
  // Nobody runs them: what they were given is needed.
  while (rejected.length === 0 && handles.length < 100) {
    const handle = client.submit("echo", "x".repeat(40_000));
    handles.push(handle);
    await handle.accepted;
    handle.settled().then(
      (settlement) => void rejected.push(settlement),
      () => undefined,
    );
  }
  await waitUntil(() => rejected.length > 0);
  const [first] = rejected;
  expect(first?.outcome).toBe("rejected");
  expect(first?.error?.cause).toBeInstanceOf(LogFullError);
  expect(handles.length).toBeGreaterThan(LIMIT / 2 / 41_000);
  expect((await info()).bytes).toBeLessThan(LIMIT);
  for (const handle of handles) await handle.cancel();
  await expectRecovered();
});

test("while the log is nearly full clients hold back new tasks, say so once, and lose none", async () => {
  await (await coordinate(3_600_000)).untilLeading();
  const errors: Error[] = [];
  const client = await clientOf((error) => errors.push(error));
  while ((await info()).bytes < LIMIT * 0.85) await fill();
  await waitUntil(() => errors.length > 0, { what: "the word to hold back" });
  expect(errors).toMatchObject([{ code: "weft_append_held", retryable: true }]);
  const handle = client.submit("echo", "held");
  let isAccepted = false;
  handle.accepted.then(
    () => {
      isAccepted = true;
    },
    () => undefined,
  );
  const { lastSeq } = await info();
  // The leader goes on: it writes a record each half second.
  await waitUntil(async () => (await info()).lastSeq >= lastSeq + 6);
  expect(isAccepted).toBe(false);
  expect(errors).toHaveLength(1);
  await connection.stream(subjects.stream(0)).purge({ belowSeq: lastSeq });
  await handle.accepted;
});

test("a larger limit is in force within seconds, without a restart: new tasks are taken again", async () => {
  await (await coordinate()).untilLeading();
  const client = await clientOf(() => undefined);
  const isTaken = async (): Promise<boolean> => {
    const handle = client.submit("echo", "x".repeat(40_000));
    await handle.accepted;
    return (await handle.state()) !== "rejected";
  };
  let count = 0;
  while ((await isTaken()) && count < 100) count++;
  expect(count).toBeLessThan(100);
  await connection.stream(subjects.stream(0)).configure({ bytesMax: 4 * LIMIT });
  await waitUntil(isTaken, { what: "the new limit", timeoutMs: 10_000 });
});
