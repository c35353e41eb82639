/** Checkpoints and what they are for, on a real server: a start from one, damaged ones, holes in the log, a lost tail. */
import { cp, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connect } from "@weft/client";
import { Coordinator, type CoordinatorOptions } from "@weft/coordinator";
import { Identity, InstanceId, Namespace, Subjects } from "@weft/protocol";
import {
  type NatsServer,
  type StartNatsServerOptions,
  startNatsCluster,
  startNatsServer,
  waitUntil,
} from "@weft/testing";
import { Worker } from "@weft/worker";
import { afterEach, expect, test } from "vitest";
import { CheckpointStore } from "../../packages/coordinator/src/shell/checkpoint-store.ts";
import { openNamespace } from "../../packages/coordinator/src/shell/namespace.ts";
import {
  type BusMessage,
  closeConnection,
  openConnection,
  type SystemConnection,
} from "../../packages/transport/src/index.ts";
import { inline } from "../fixtures/inline-tasks.ts";

/** Where the servers are. */
type Place = { readonly url: string };

const subjects = new Subjects(Namespace.parse("default"));
const SOON = { bytesMin: 1, ageMinMs: 0, ageMaxMs: 200 };
const started: (() => Promise<unknown>)[] = [];
const lines: string[] = [];
const log = (line: string): void => void lines.push(line);

afterEach(async () => {
  for (let last = started.pop(); last !== undefined; last = started.pop()) await last();
  lines.length = 0;
});

async function serve(options: StartNatsServerOptions = {}): Promise<NatsServer> {
  const server = await startNatsServer(options);
  started.push(() => server.stop());
  return server;
}

async function coordinate(server: Place, options: CoordinatorOptions = {}): Promise<Coordinator> {
  const coordinator = await Coordinator.start({
    servers: server.url,
    create: { purgeAgeMs: 0, logBytesMax: 64 * 1024 ** 2 },
    checkpoints: SOON,
    log,
    ...options,
  });
  started.push(() => coordinator.stop());
  return coordinator;
}

async function open(server: Place): Promise<SystemConnection> {
  const connection = await openConnection(Identity.parse("test"), InstanceId.create(), {
    servers: server.url,
  });
  started.push(() => closeConnection(connection));
  return connection;
}

async function work(server: Place, tasks: number): Promise<string[]> {
  const worker = await Worker.start({ servers: server.url, tasks: inline, slots: 10 });
  const weft = await connect({ servers: server.url });
  const handles = Array.from({ length: tasks }, (_, i) => weft.submit<number>("echo", i));
  await Promise.all(handles.map((handle) => handle.result()));
  await weft.close();
  await worker.stop({ graceMs: 0 });
  return handles.map(({ id }) => id);
}

/** Waits until there is a checkpoint with everything that the log has now. */
async function checkpointed(connection: SystemConnection): Promise<number> {
  const { lastSeq } = await connection.stream(subjects.stream(0)).info();
  const seqOf = async (slot: number): Promise<number> => {
    const subject = subjects.checkpointChunk(0, slot, "last");
    const found = await connection.stream(subjects.checkpointStream(0)).lastMessage(subject);
    return found === null ? 0 : (JSON.parse(Buffer.from(found.data).toString()) as Last).point.seq;
  };
  const newest = async (): Promise<number> => Math.max(...(await Promise.all([0, 1, 2].map(seqOf))));
  await waitUntil(async () => (await newest()) >= lastSeq, { what: "a checkpoint", timeoutMs: 20_000 });
  return newest();
}
type Last = { readonly point: { readonly seq: number } };

async function resultsOf(server: Place, ids: readonly string[]): Promise<unknown[]> {
  const weft = await connect({ servers: server.url });
  const results = await Promise.all(ids.map((id) => weft.handle(id).result()));
  await weft.close();
  return results;
}

test("a coordinator starts from the newest checkpoint and the records behind it, and knows every outcome", async () => {
  const server = await serve();
  const first = await coordinate(server);
  const connection = await open(server);
  const ids = await work(server, 200);
  await checkpointed(connection);
  await first.stop();
  lines.length = 0;
  const second = await coordinate(server);
  await second.untilLeading();
  expect(lines.join("\n")).toMatch(/from the checkpoint at record \d+ on and stands by/);
  expect(await resultsOf(server, ids)).toEqual(ids.map((_, i) => i));
  expect(await work(server, 5)).toHaveLength(5);
});

test("a standby writes it where there is one, and the leader does where the standby dies", async () => {
  const server = await serve();
  const leader = await coordinate(server, { checkpoints: { bytesMin: 1, ageMinMs: 0, ageMaxMs: 100 } });
  await leader.untilLeading();
  const standbyLines: string[] = [];
  const standby = await coordinate(server, { log: (line) => standbyLines.push(line) });
  const wrote = (from: readonly string[]): number =>
    from.filter((line) => line.includes("is written")).length;
  await waitUntil(() => wrote(standbyLines) > 1, { what: "a checkpoint by the standby" });
  await standby.stop();
  lines.length = 0;
  await waitUntil(() => wrote(lines) > 1, { what: "a checkpoint beside the leader", timeoutMs: 20_000 });
});

test("a damaged checkpoint is passed over for the one before", async () => {
  const server = await serve();
  const first = await coordinate(server);
  const connection = await open(server);
  const ids = await work(server, 100);
  await checkpointed(connection);
  await work(server, 1);
  await checkpointed(connection);
  await first.stop();
  const config = await openNamespace(connection.nats, subjects.namespace);
  const store = new CheckpointStore({ connection, subjects, secret: config.secret });
  const [newest, before] = await store.list();
  expect(before?.point.seq).toBeLessThan(newest?.point.seq ?? 0);
  await connection.nats.request(subjects.checkpointChunk(0, newest?.slot ?? 0, 0), "rotten", {
    timeout: 2_000,
  });
  lines.length = 0;
  const second = await coordinate(server);
  await second.untilLeading();
  expect(lines.join("\n")).toContain(
    `the checkpoint at record ${newest?.point.seq} is passed over: the checkpoint at record ${newest?.point.seq} is damaged: chunk 0`,
  );
  expect(lines.join("\n")).toContain(`from the checkpoint at record ${before?.point.seq} on and stands by`);
  expect(await resultsOf(server, ids)).toEqual(ids.map((_, i) => i));
});

test("the leader purges what no fold needs, and never its newest control record", async () => {
  const server = await serve();
  const coordinator = await coordinate(server);
  await coordinator.untilLeading();
  const stream = (await open(server)).stream(subjects.stream(0));
  let seen = 1;
  for (let i = 0; i < 3; i++) {
    await waitUntil(async () => (await stream.info()).firstSeq > seen, { timeoutMs: 20_000 });
    seen = (await stream.info()).firstSeq;
    const { secret } = await openNamespace((await open(server)).nats, subjects.namespace);
    expect(await stream.lastMessage(subjects.control(0, secret))).not.toBeNull();
  }
  expect(await work(server, 10)).toHaveLength(10);
  await coordinator.stop();
  lines.length = 0;
  const second = await coordinate(server);
  await second.untilLeading();
  expect(lines.join("\n")).toMatch(/from the checkpoint/);
  expect(await work(server, 10)).toHaveLength(10);
});

test("a log whose beginning is gone, with no checkpoint that goes with it, is refused", async () => {
  const server = await serve();
  const first = await coordinate(server, { checkpoints: { bytesMin: 1e9, ageMinMs: 0, ageMaxMs: 1e9 } });
  await work(server, 10);
  await first.stop();
  const connection = await open(server);
  await connection.stream(subjects.stream(0)).purge({ belowSeq: 5 });
  await expect(coordinate(server)).rejects.toMatchObject({ code: "weft_log_truncated" });
});

test("a standby that missed records which were purged meanwhile loads the checkpoint instead of failing", async () => {
  const server = await serve();
  const leader = await coordinate(server);
  await leader.untilLeading();
  const connection = await openConnection(Identity.parse("coordinator"), InstanceId.create(), {
    servers: server.url,
  });
  let isDeaf = false;
  const nats = new Proxy(connection.nats, {
    get(target, key) {
      if (key === "subscribe")
        return (
          subject: string,
          { callback }: { callback: (error: Error | null, message: BusMessage) => void },
        ) =>
          target.subscribe(subject, {
            callback: (error, message) => {
              if (!isDeaf) callback(error, message);
            },
          });
      const value: unknown = Reflect.get(target, key);
      return typeof value === "function" ? value.bind(target) : value;
    },
  });
  const config = await openNamespace(connection.nats, subjects.namespace);
  const standbyLines: string[] = [];
  const standby = await Coordinator.open({ ...connection, nats }, config, {
    log: (line) => standbyLines.push(line),
  });
  started.push(() => standby.stop());
  const stream = connection.stream(subjects.stream(0));
  isDeaf = true;
  const { lastSeq } = await stream.info();
  await waitUntil(async () => (await stream.info()).firstSeq > lastSeq + 1, { timeoutMs: 20_000 });
  isDeaf = false;
  const loaded = (): boolean => standbyLines.some((line) => line.includes("from the checkpoint"));
  await waitUntil(loaded, { timeoutMs: 20_000, what: "the standby that begins anew" });
  expect(standbyLines.join("\n")).toContain("the state is thrown away and loaded anew");
  await leader.stop();
  await waitUntil(() => standby.leading, { what: "the standby that leads" });
  expect(await work(server, 10)).toHaveLength(10);
});

test("a log that lost its tail is noticed at the reconnect, and folded from a checkpoint that agrees with it", {
  timeout: 60_000,
}, async () => {
  const storeDir = await mkdtemp(join(tmpdir(), "weft-store-"));
  const copy = await mkdtemp(join(tmpdir(), "weft-copy-"));
  started.push(() => Promise.all([storeDir, copy].map((folder) => rm(folder, { recursive: true }))));
  const server = await serve({ storeDir });
  const coordinator = await coordinate(server);
  await coordinator.untilLeading();
  const connection = await open(server);
  const before = await work(server, 50);
  await checkpointed(connection);
  server.kill("SIGTERM");
  await server.exited;
  await cp(storeDir, copy, { recursive: true });
  await server.restart();
  const lost = await work(server, 20);
  await checkpointed(connection);
  // The power cut: what was written since is gone, from the log and from the checkpoints.
  server.kill("SIGTERM");
  await server.exited;
  await rm(storeDir, { recursive: true });
  await cp(copy, storeDir, { recursive: true });
  lines.length = 0;
  await server.restart();
  const isLoaded = (): boolean => lines.some((line) => line.includes("from the checkpoint"));
  await waitUntil(isLoaded, { timeoutMs: 20_000, what: "the coordinator that begins anew" });
  expect(lines.join("\n")).toContain("the stream lost its newest records; the state is thrown away");
  await waitUntil(() => coordinator.leading);
  expect(await resultsOf(server, before)).toEqual(before.map((_, i) => i));
  const weft = await connect({ servers: server.url });
  expect(await weft.handle(lost[0] ?? "").state()).toBe("unknown");
  await weft.close();
  expect(await work(server, 10)).toHaveLength(10);
});

test("on three nodes checkpoints go on over the loss of the node that leads their stream", {
  timeout: 120_000,
}, async () => {
  const nodes = await startNatsCluster(3);
  started.push(() => nodes.stop());
  const place = { url: nodes.urls.join() };
  const first = await coordinate(place);
  await first.untilLeading();
  const connection = await open(place);
  const ids = await work(place, 100);
  const before = await checkpointed(connection);
  const stream = `$JS.API.STREAM.INFO.${subjects.checkpointStream(0)}`;
  const { config, cluster } = (await connection.nats.request(stream, "", { timeout: 5_000 })).json<{
    config: { num_replicas: number };
    cluster: { leader: string };
  }>();
  expect(config.num_replicas).toBe(3);
  nodes.servers.find(({ serverName }) => serverName === cluster.leader)?.kill("SIGKILL");
  // The log may not have had a record since.
  const isAhead = async (): Promise<boolean> => (await checkpointed(connection).catch(() => 0)) > before;
  await waitUntil(isAhead, { what: "a checkpoint of what came since", timeoutMs: 60_000 });
  await first.stop();
  lines.length = 0;
  const second = await coordinate(place);
  await second.untilLeading();
  expect(lines.join("\n")).toMatch(/from the checkpoint at record \d+ on and stands by/);
  expect(await resultsOf(place, ids)).toEqual(ids.map((_, i) => i));
});
