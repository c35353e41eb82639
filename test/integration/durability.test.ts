/** What each durability profile keeps when servers are killed between an acknowledgement and the next sync. */
import { jetstreamManager } from "@nats-io/jetstream";
import { connect as connectNats } from "@nats-io/transport-node";
import { connect } from "@weft/client";
import { Coordinator, type NamespaceOptions } from "@weft/coordinator";
import { type NatsServer, startNatsCluster, startNatsServer } from "@weft/testing";
import { Worker } from "@weft/worker";
import { expect, onTestFinished, test } from "vitest";
import { echo } from "../fixtures/tasks.ts";

const STREAM = "WEFT_default_0";
const TASKS = 2_000;
/** The servers are killed when so many are acknowledged, with the others on their way. */
const KILL_AT = 500;

/** Ids of tasks that the log acknowledged before its servers were killed. The client that submitted them is gone, so that it repeats nothing. */
async function acknowledgedBeforeKill(
  servers: readonly NatsServer[],
  options: NamespaceOptions,
): Promise<ReadonlyMap<string, number>> {
  const urls = servers.map(({ url }) => url);
  const coordinator = await Coordinator.start({ servers: urls, create: options });
  await coordinator.untilLeading();
  await coordinator.stop();
  const client = await connect({ servers: urls, onError: () => undefined });
  const acknowledged = new Map<string, number>();
  const killed = Promise.withResolvers<void>();
  const kill = (): void => {
    for (const server of servers) server.kill("SIGKILL");
    Promise.all(servers.map((server) => server.exited)).then(() => killed.resolve(), killed.reject);
  };
  for (let input = 0; input < TASKS; input++) {
    const handle = client.submit<number>("echo", input);
    handle.accepted.then(
      () => {
        acknowledged.set(handle.id, input);
        if (acknowledged.size === KILL_AT) kill();
      },
      () => undefined,
    );
    // Records of a few tasks each, so that some are on their way when it happens.
    if (input % 20 === 0) await new Promise((turn) => setImmediate(turn));
  }
  await killed.promise;
  await client.close({ timeoutMs: 0 });
  return acknowledged;
}

async function expectAllToRun(urls: readonly string[], tasks: ReadonlyMap<string, number>): Promise<void> {
  const coordinator = await Coordinator.start({ servers: urls });
  const worker = await Worker.start({ servers: urls, tasks: { echo } });
  const client = await connect({ servers: urls });
  onTestFinished(async () => {
    await client.close();
    await worker.stop({ graceMs: 0 });
    await coordinator.stop();
  });
  const results = await Promise.all([...tasks.keys()].map((id) => client.handle<number>(id).result()));
  expect(results).toEqual([...tasks.values()]);
}

test("standard: one server that is killed and comes back has every task that it acknowledged", {
  timeout: 60_000,
}, async () => {
  const server = await startNatsServer();
  onTestFinished(() => server.stop());
  const acknowledged = await acknowledgedBeforeKill([server], { durability: "standard" });
  expect(acknowledged.size).toBeGreaterThanOrEqual(KILL_AT);
  await server.restart();
  await expectAllToRun([server.url], acknowledged);
});

test("standard: three servers that are killed at once and come back have every task that they acknowledged", {
  timeout: 120_000,
}, async () => {
  const cluster = await startNatsCluster(3);
  onTestFinished(() => cluster.stop());
  const acknowledged = await acknowledgedBeforeKill(cluster.servers, { durability: "standard", replicas: 3 });
  expect(acknowledged.size).toBeGreaterThanOrEqual(KILL_AT);
  await Promise.all(cluster.servers.map((server) => server.restart()));
  await cluster.waitUntilReady();
  await expectAllToRun(cluster.urls, acknowledged);
});

test("memory: a server that is killed has nothing left, and a coordinator begins anew", {
  timeout: 60_000,
}, async () => {
  const server = await startNatsServer();
  onTestFinished(() => server.stop());
  await acknowledgedBeforeKill([server], { durability: "memory" });
  await server.restart();
  const nats = await connectNats({ servers: server.url });
  onTestFinished(() => nats.close());
  const manager = await jetstreamManager(nats);
  await expect(manager.streams.info(STREAM)).rejects.toThrow("stream not found");
  const coordinator = await Coordinator.start({ servers: server.url, create: { durability: "memory" } });
  onTestFinished(() => coordinator.stop());
  await coordinator.untilLeading();
  expect((await manager.streams.info(STREAM)).config.metadata).toMatchObject({ "weft.durability": "memory" });
});
