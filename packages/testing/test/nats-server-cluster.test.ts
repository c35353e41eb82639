import { readdirSync } from "node:fs";
import { beforeAll, expect, onTestFinished, test, vi } from "vitest";
import type { NatsCluster } from "../src/nats-server/cluster.ts";
import { startNatsCluster } from "../src/nats-server/cluster.ts";
import { NatsServerStartError } from "../src/nats-server/errors.ts";
import { findNatsServer } from "../src/nats-server/finder.ts";
import type { NatsServer } from "../src/nats-server/server.ts";
import { isProcessRunning } from "../src/process-state.ts";
import { jetStreamRequest, temporaryFolder } from "./nats-server-support.ts";

// Elections take their time, more so on a busy machine.
vi.setConfig({ testTimeout: 60_000 });

let binary = "";
beforeAll(async () => {
  binary = (await findNatsServer()).path;
}, 300_000);

async function start(): Promise<NatsCluster> {
  const cluster = await startNatsCluster(3, { binary });
  onTestFinished(() => cluster.stop());
  return cluster;
}

async function leader({ servers: [first] }: NatsCluster): Promise<string> {
  const state = (await (await fetch(`${first?.monitorUrl}/jsz`)).json()) as {
    meta_cluster: { leader: string };
  };
  return state.meta_cluster.leader;
}

function replicated(name: string): unknown {
  return { name, subjects: [`${name}.>`], storage: "file", num_replicas: 3 };
}

test("a cluster of three takes a stream of three replicas as soon as it has started", async () => {
  const cluster = await start();
  expect(cluster.servers.map((server) => server.serverName)).toEqual(["n1", "n2", "n3"]);
  expect(new Set(cluster.urls).size).toBe(3);
  for (const [index, server] of cluster.servers.entries()) {
    const name = `S${index}`;
    const answer = await jetStreamRequest(server.port, `STREAM.CREATE.${name}`, replicated(name));
    expect(answer).toMatchObject({ config: { num_replicas: 3 }, cluster: { name: "weft" } });
  }
  await cluster.stop();
  expect(cluster.servers.some((server) => isProcessRunning(server.pid))).toBe(false);
});

test("a cluster that lost its leader is ready again once the others have elected one", {
  timeout: 60_000,
}, async () => {
  const cluster = await start();
  const name = await leader(cluster);
  const [gone, rest] = split(cluster.servers, name);
  gone.kill("SIGTERM");
  await gone.exited;
  await cluster.waitUntilReady({ servers: rest });
  expect(rest.map((server) => server.serverName)).not.toContain(name);
  const state = (await (await fetch(`${rest[0]?.monitorUrl}/jsz`)).json()) as {
    meta_cluster: { leader: string };
  };
  expect(rest.map((server) => server.serverName)).toContain(state.meta_cluster.leader);

  await gone.restart();
  await cluster.waitUntilReady();
  const answer = await jetStreamRequest(gone.port, "STREAM.CREATE.S", replicated("S"));
  expect(answer).toMatchObject({ config: { num_replicas: 3 } });
});

test("a node whose leader does not run is not ready", async () => {
  const cluster = await start();
  const [gone, [follower]] = split(cluster.servers, await leader(cluster));
  gone.kill("SIGSTOP");
  const wait = cluster.waitUntilReady({ servers: follower === undefined ? [] : [follower], timeoutMs: 50 });
  await expect(wait).rejects.toThrow(
    `not ready within 50 ms (${follower?.serverName} sees no running leader)`,
  );
});

test("a cluster that does not get ready in time leaves nothing behind", async () => {
  const temporary = temporaryFolder();
  vi.stubEnv("TMPDIR", temporary);
  onTestFinished(() => {
    vi.unstubAllEnvs();
  });
  // Its health is where nobody looks for it.
  const started = startNatsCluster(3, { binary, config: "http_base_path: /elsewhere", readyTimeoutMs: 50 });
  await expect(started).rejects.toThrow(NatsServerStartError);
  expect(readdirSync(temporary)).toEqual([]);
});

function split(servers: readonly NatsServer[], name: string): readonly [NatsServer, readonly NatsServer[]] {
  const named = servers.find((server) => server.serverName === name);
  if (named === undefined) throw new Error(`no server is named ${name}`);
  return [named, servers.filter((server) => server !== named)];
}
