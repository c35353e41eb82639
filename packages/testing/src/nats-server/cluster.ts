import { createServer } from "node:net";
import { setTimeout as delay } from "node:timers/promises";
import { NatsServerStartError, reasonOf } from "./errors.ts";
import { jsonField } from "./json-field.ts";
import type { NatsServer, StartNatsServerOptions } from "./server.ts";
import { isPortTaken, startNatsServer } from "./server.ts";

export type StartNatsClusterOptions = Pick<StartNatsServerOptions, "binary" | "syncAlways" | "config"> & {
  /** How long it may take until the nodes have elected a leader. @default 30000 */
  readonly readyTimeoutMs?: number;
  /** Whether the nodes tell clients of each other. @default true */
  readonly advertise?: boolean;
};

export type WaitUntilReadyOptions = {
  /** The nodes that run. @default all */
  readonly servers?: readonly NatsServer[];
  /** @default the `readyTimeoutMs` of the start */
  readonly timeoutMs?: number;
};

/** Several nats-servers with JetStream on this machine that replicate to each other. */
export type NatsCluster = AsyncDisposable & {
  /** Named `n1`, `n2` and so on. */
  readonly servers: readonly NatsServer[];
  readonly urls: readonly string[];
  /**
   * Resolves when each of the nodes follows a leader of JetStream that is one of them.
   *
   * @throws NatsServerStartError after the time-out.
   */
  waitUntilReady(options?: WaitUntilReadyOptions): Promise<void>;
  /** Shuts all nodes down for good. Calling it again does nothing more. */
  stop(): Promise<void>;
};

const readyTimeoutMsDefault = 30_000;
const healthCheckMs = 20;
const answerTimeoutMs = 2_000;
const startTriesMax = 5;

/**
 * Starts a cluster and resolves when its nodes have elected a leader, which takes a second or two.
 *
 * @throws NatsServerStartError, and what startNatsServer() throws.
 */
export async function startNatsCluster(
  nodeCount = 3,
  options: StartNatsClusterOptions = {},
): Promise<NatsCluster> {
  const readyTimeoutMs = options.readyTimeoutMs ?? readyTimeoutMsDefault;
  const cluster = natsClusterOf(await startNodes(nodeCount, options), readyTimeoutMs);
  try {
    await cluster.waitUntilReady();
    return cluster;
  } catch (error) {
    await cluster.stop();
    throw error;
  }
}

/** The cluster of nodes that were started one by one. */
export function natsClusterOf(
  servers: readonly NatsServer[],
  readyTimeoutMs: number = readyTimeoutMsDefault,
): NatsCluster {
  const stop = async (): Promise<void> => {
    await Promise.all(servers.map((server) => server.stop()));
  };
  return {
    servers,
    urls: servers.map((server) => server.url),
    waitUntilReady: (wait = {}) => waitUntilReady(wait.servers ?? servers, wait.timeoutMs ?? readyTimeoutMs),
    stop,
    [Symbol.asyncDispose]: stop,
  };
}

/**
 * The nodes must know each other's ports beforehand, so these cannot be left to the servers. Another process may take
 * one between the choice and the start: then all is begun anew with others.
 */
async function startNodes(
  nodeCount: number,
  options: StartNatsClusterOptions,
): Promise<readonly NatsServer[]> {
  for (let attempt = 1; ; attempt += 1) {
    const ports = await freePorts(nodeCount);
    const routes = ports.map((port) => `nats://127.0.0.1:${port}`);
    const started = await Promise.allSettled(
      ports.map((port, index) =>
        startNatsServer({
          ...(options.binary === undefined ? {} : { binary: options.binary }),
          ...(options.config === undefined ? {} : { config: options.config }),
          syncAlways: options.syncAlways ?? false,
          serverName: `n${index + 1}`,
          monitorPort: 0,
          cluster: { name: "weft", port, routes, advertise: options.advertise ?? true },
        }),
      ),
    );
    const servers = started.flatMap((result) => (result.status === "fulfilled" ? [result.value] : []));
    const failure = started.find((result) => result.status === "rejected");
    if (failure === undefined) return servers;
    await Promise.all(servers.map((server) => server.stop()));
    if (!isPortTaken(failure.reason) || attempt === startTriesMax) throw failure.reason;
  }
}

/** Ports that were free a moment ago, all different. */
async function freePorts(count: number): Promise<readonly number[]> {
  const listeners = await Promise.all(
    Array.from({ length: count }, async () => {
      const listener = createServer();
      await new Promise<void>((resolve, reject) => {
        listener.once("error", reject).listen(0, "127.0.0.1", resolve);
      });
      return listener;
    }),
  );
  const ports = listeners.map((listener) => {
    const address = listener.address();
    return typeof address === "object" && address !== null ? address.port : 0;
  });
  await Promise.all(listeners.map((listener) => new Promise((resolve) => listener.close(resolve))));
  return ports;
}

async function waitUntilReady(servers: readonly NatsServer[], timeoutMs: number): Promise<void> {
  const names = servers.map((server) => server.serverName);
  const deadline = performance.now() + timeoutMs;
  for (const server of servers) {
    for (;;) {
      const complaint = await complaintOf(server, names);
      if (complaint === undefined) break;
      if (performance.now() > deadline) {
        throw new NatsServerStartError(
          server.binary,
          `its cluster was not ready within ${timeoutMs} ms (${complaint})`,
          server.logs(),
        );
      }
      await delay(healthCheckMs);
    }
  }
}

/** Why a node is not ready: it lags, knows no leader, or still believes in one that does not run. */
async function complaintOf(
  server: NatsServer,
  runningNames: readonly (string | undefined)[],
): Promise<string | undefined> {
  try {
    const health = await ask(server, "/healthz");
    if (!health.ok) return (await health.text()).trim();
    const leader = leaderIn(await (await ask(server, "/jsz")).json());
    return runningNames.includes(leader) ? undefined : `${server.serverName} sees no running leader`;
  } catch (error) {
    return `${server.serverName} does not answer: ${reasonOf(error)}`;
  }
}

function ask(server: NatsServer, path: string): Promise<Response> {
  return fetch(`${server.monitorUrl}${path}`, { signal: AbortSignal.timeout(answerTimeoutMs) });
}

function leaderIn(state: unknown): string {
  const leader = jsonField(jsonField(state, "meta_cluster"), "leader");
  return typeof leader === "string" ? leader : "";
}
