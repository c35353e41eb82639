/** What an operator can do about a log that cannot be folded: look at a record, pass over it, accept a log that is not whole. */
import { connect } from "@weft/client";
import { Coordinator } from "@weft/coordinator";
import { Identity, InstanceId, Namespace, Subjects } from "@weft/protocol";
import { type NatsServer, startNatsServer } from "@weft/testing";
import { Worker } from "@weft/worker";
import { afterEach, beforeEach, expect, test } from "vitest";
import {
  closeConnection,
  openConnection,
  type SystemConnection,
} from "../../packages/transport/src/index.ts";
import { inline } from "../fixtures/inline-tasks.ts";
import { runWeft, type WeftRun } from "../fixtures/process.ts";

const subjects = new Subjects(Namespace.parse("default"));
let server: NatsServer;
let connection: SystemConnection;
let coordinator: Coordinator | null = null;

beforeEach(async () => {
  server = await startNatsServer();
  connection = await openConnection(Identity.parse("test"), InstanceId.create(), { servers: server.url });
  expect((await weft("init", "--purge-age", "0s", "--log-bytes-max", "64MiB")).code).toBe(0);
});
afterEach(async () => {
  await coordinator?.stop();
  coordinator = null;
  await closeConnection(connection);
  await server.stop();
});

const weft = (...args: string[]): Promise<WeftRun> =>
  runWeft(args, { env: { WEFT_URL: server.url, WEFT_DEBUG: "" } });

async function coordinate(checkpoints = { bytesMin: 1e9, ageMinMs: 0, ageMaxMs: 1e9 }): Promise<Coordinator> {
  coordinator = await Coordinator.start({ servers: server.url, checkpoints });
  await coordinator.untilLeading();
  return coordinator;
}

/** Without a coordinator: the log has them, and nobody has folded them. */
async function submit(...names: string[]): Promise<string[]> {
  const client = await connect({ servers: server.url });
  const ids: string[] = [];
  for (const name of names) {
    const handle = client.submit(name, 1);
    await handle.accepted;
    ids.push(handle.id);
  }
  await client.close();
  return ids;
}

async function stateOf(id: string): Promise<string> {
  const client = await connect({ servers: server.url });
  const state = await client.handle(id).state();
  await client.close();
  return state;
}

test("log show tells what a record says, with the sizes of values in place of values", async () => {
  const [id] = await submit("echo");
  const { code, stdout } = await weft("log", "show", "1", "--json");
  expect(code).toBe(0);
  expect(JSON.parse(stdout)).toMatchObject({
    seq: 1,
    kind: "submit",
    sender: expect.stringMatching(/^client\./),
    skipped: false,
    void: null,
    record: { type: "submit", number: 1, tasks: [{ id, name: "echo", args: "1 bytes" }] },
  });
  expect((await weft("log", "show", "1")).stdout).toContain(`"id": "${id}"`);
});

test("log show of bytes that are no record says why they are void", async () => {
  await connection.nats.request("weft.v1.default.log.0.submit.me.i1", "rubbish", { timeout: 2_000 });
  const { stdout } = await weft("log", "show", "1");
  expect(stdout).toMatch(/^void +message is no array/m);
  expect((await weft("log", "show", "2")).stderr).toContain("the log has no record 2");
});

test("log skip has every fold pass over the record, and asks first", async () => {
  const [poison = "", sound = ""] = await submit("echo", "echo");
  const asked = await weft("log", "skip", "1");
  expect(asked.code).toBe(1);
  expect(asked.stdout).toContain("add --yes");
  expect((await weft("log", "skip", "1", "--yes")).code).toBe(0);
  expect((await weft("log", "show", "1")).stdout).toContain("folds pass over it");
  for (let start = 0; start < 2; start++) {
    const leader = await coordinate({ bytesMin: 1, ageMinMs: 0, ageMaxMs: 50 });
    expect(await stateOf(poison)).toBe("unknown");
    expect(await stateOf(sound)).toBe("released");
    await leader.stop();
  }
});

test("log skip refuses a record that somebody has folded", async () => {
  await submit("echo");
  await coordinate();
  const { code, stderr } = await weft("log", "skip", "1", "--yes");
  expect(code).toBe(2);
  expect(stderr).toContain("leads and has folded it");
});

test("repair has nothing to do for a whole log", async () => {
  await submit("echo");
  const { code, stdout } = await weft("repair");
  expect(code).toBe(0);
  expect(stdout).toContain("nothing has to be repaired: a coordinator starts from the first record");
});

test("repair accepts a log whose beginning is gone, once it is told to, and writes that down", async () => {
  const ids = await submit("echo", "echo", "echo");
  const stream = connection.stream(subjects.stream(0));
  await stream.purge({ belowSeq: 3 });
  await expect(coordinate()).rejects.toMatchObject({ code: "weft_log_truncated" });
  const told = await weft("repair");
  expect(told.code).toBe(1);
  expect(told.stdout).toContain("the log has the records 3 to 3");
  expect(told.stdout).toContain("with --yes, coordinators begin at record 3");
  await expect(coordinate()).rejects.toMatchObject({ code: "weft_log_truncated" });
  expect((await weft("repair", "--yes")).code).toBe(0);
  const first = await coordinate({ bytesMin: 1, ageMinMs: 0, ageMaxMs: 50 });
  expect(await stateOf(ids[0] ?? "")).toBe("unknown");
  const worker = await Worker.start({ servers: server.url, tasks: inline, slots: 1 });
  const client = await connect({ servers: server.url });
  expect(await client.handle(ids[2] ?? "").result()).toBe(1);
  await client.close();
  await worker.stop({ graceMs: 0 });
  await first.stop();
  await coordinate();
  expect(await stateOf(ids[2] ?? "")).toBe("succeeded");
  const { metadata } = await stream.info();
  expect(JSON.parse(metadata["weft.repairs"] ?? "")).toMatchObject([{ begins: 3, lastSeq: 3 }]);
});

test("an empty log that once had records is not taken for a new one", async () => {
  await submit("echo", "echo");
  const first = await coordinate({ bytesMin: 1, ageMinMs: 0, ageMaxMs: 50 });
  const checkpoints = connection.stream(subjects.checkpointStream(0));
  const lastChunk = subjects.checkpointChunk(0, 0, "last");
  while ((await checkpoints.lastMessage(lastChunk)) === null);
  await first.stop();
  const { config } = (
    await connection.nats.request(`$JS.API.STREAM.INFO.${subjects.stream(0)}`, "", { timeout: 2_000 })
  ).json<{ config: object }>();
  for (const [request, body] of [
    ["DELETE", ""],
    ["CREATE", JSON.stringify(config)],
  ] as const)
    await connection.nats.request(`$JS.API.STREAM.${request}.${subjects.stream(0)}`, body, {
      timeout: 2_000,
    });
  await expect(coordinate()).rejects.toThrow(/it is empty, and once had \d+ records/);
  expect((await weft("repair", "--yes")).code).toBe(0);
  await coordinate();
});

test("a strict namespace whose stream does not keep what it acknowledges is refused, and doctor says what it cannot see", async () => {
  expect(
    (await weft("init", "--namespace", "s", "--durability", "strict", "--log-bytes-max", "1MiB")).code,
  ).toBe(0);
  const sound = await weft("doctor", "--namespace", "s");
  expect(sound.stdout).toMatch(
    /^warn +durability +strict: .* whether the servers sync each write, no client can see/m,
  );
  const name = new Subjects(Namespace.parse("s")).stream(0);
  const call = async (request: string, body: string): Promise<{ config: object }> =>
    (await connection.nats.request(`$JS.API.STREAM.${request}.${name}`, body, { timeout: 2_000 })).json();
  const { config } = await call("INFO", "");
  await call("DELETE", "");
  await call("CREATE", JSON.stringify({ ...config, storage: "memory" }));
  await expect(Coordinator.start({ servers: server.url, namespace: "s" })).rejects.toThrow(
    'the namespace is "strict", and its stream WEFT_s_0 is not written to files',
  );
  expect((await weft("doctor", "--namespace", "s")).stdout).toMatch(/^fail +durability/m);
});
