/**
 * Opens the connection of a client, worker or coordinator: waits for a server within a bound, refuses one that is too
 * old or has no JetStream, and reconnects for ever.
 */
import { connect, type NatsConnection, type NodeConnectionOptions } from "@nats-io/transport-node";
import {
  type Identity,
  type InstanceId,
  inboxPrefix,
  JetStreamDisabledError,
  NATS_VERSION_MIN,
  Sender,
  UnreachableError,
  UnsupportedServerError,
} from "@weft/protocol";

import type { Bus } from "./bus.ts";
import { type Clock, pause, systemClock, within } from "./clock.ts";
import { type Entropy, systemEntropy } from "./entropy.ts";
import { JetStreamStream } from "./jetstream.ts";
import { keepAlive } from "./keep-alive.ts";
import type { Stream } from "./stream.ts";

export type ConnectionOptions = {
  /** One address or several of one NATS cluster, with `user:password@` or `token@` where it asks for them. @default WEFT_URL, else "nats://127.0.0.1:4222" */
  readonly servers?: string | readonly string[];
  /** How long to wait for a server at the first connect, in milliseconds. @default 10000 */
  readonly connectTimeoutMs?: number;
  /** Further options of nats.js: credentials, TLS. They win over what Weft sets. */
  readonly nats?: NodeConnectionOptions;
};

/** The connection of one sender: its two tokens prefix every inbox. */
export type Connection = {
  readonly nats: Bus;
  readonly stream: (name: string) => Stream;
  readonly clock: Clock;
  readonly entropy: Entropy;
  readonly sender: Sender;
  readonly identity: Identity;
  readonly instance: InstanceId;
  readonly servers: readonly string[];
};

/** A connection to a real server. */
export type SystemConnection = Omit<Connection, "nats"> & { readonly nats: NatsConnection };

export const DEFAULT_SERVER = "nats://127.0.0.1:4222";
const CONNECT_TIMEOUT_MS = 10_000;
const ATTEMPT_TIMEOUT_MS = 2_000;
const RETRY_WAIT_MS = 100;
const DRAIN_TIMEOUT_MS = 2_000;
/** The longest that Node waits. It is asked for elsewhere whether the server is there (keep-alive.ts). */
const NEVER_MS = 2 ** 31 - 1;

const RECONNECTING: NodeConnectionOptions = {
  maxReconnectAttempts: -1,
  // A credential that is refused for a while, as when it is rotated, ends nothing.
  ignoreAuthErrorAbort: true,
  reconnectTimeWait: RETRY_WAIT_MS,
  reconnectJitter: RETRY_WAIT_MS,
  // An error's stack for each request that is sent, in case it fails: what fails here says itself what it was about.
  noAsyncTraces: true,
  pingInterval: 5_000,
  maxPingOut: 2,
};

export async function openConnection(
  identity: Identity,
  instance: InstanceId,
  options: ConnectionOptions = {},
  clock: Clock = systemClock,
): Promise<SystemConnection> {
  const servers = serversOf(options);
  const sender = Sender.of(identity, instance);
  const nats = await connectWithin(servers, sender, options);
  try {
    assertUsable(nats);
  } catch (error) {
    await nats.close();
    throw error;
  }
  if (options.nats?.pingInterval === undefined) keepAlive(nats, clock);
  const stream = (name: string): Stream => new JetStreamStream(nats, name);
  return { nats, stream, clock, entropy: systemEntropy, sender, identity, instance, servers };
}

export function serversOf(options: ConnectionOptions): readonly string[] {
  const named = options.servers ?? process.env.WEFT_URL ?? DEFAULT_SERVER;
  const list = typeof named === "string" ? named.split(",") : named;
  return list.map((each) => each.trim()).filter((each) => each !== "");
}

/** `nats://user:password@host` and `nats://token@host`: one credential for all servers, for they are of one cluster. */
function credentialsIn(servers: readonly string[]): NodeConnectionOptions {
  for (const server of servers) {
    const [, userInfo] = /^(?:[a-z]+:\/\/)?([^/]*)@/.exec(server) ?? [];
    if (userInfo === undefined) continue;
    const [user = "", ...rest] = userInfo.split(":").map(decodeURIComponent);
    return rest.length === 0 ? { token: user } : { user, pass: rest.join(":") };
  }
  return {};
}

/** A connection that waits for its server for as long as it takes, and does nothing else that `openConnection` does. */
export async function connectForever(
  servers: readonly string[],
  options: NodeConnectionOptions,
): Promise<NatsConnection> {
  return connect({
    servers: [...servers],
    ...RECONNECTING,
    waitOnFirstConnect: true,
    ...credentialsIn(servers),
    ...options,
  });
}

async function connectWithin(
  servers: readonly string[],
  sender: Sender,
  options: ConnectionOptions,
): Promise<NatsConnection> {
  const limitMs = options.connectTimeoutMs ?? CONNECT_TIMEOUT_MS;
  const startedMs = systemClock.nowMs();
  for (;;) {
    const leftMs = limitMs - (systemClock.nowMs() - startedMs);
    try {
      return await connect({
        name: `weft ${sender}`,
        servers: [...servers],
        inboxPrefix: inboxPrefix(sender),
        timeout: Math.max(100, Math.min(ATTEMPT_TIMEOUT_MS, leftMs)),
        ...RECONNECTING,
        pingInterval: NEVER_MS,
        ...credentialsIn(servers),
        ...options.nats,
      });
    } catch (cause) {
      const triedMs = systemClock.nowMs() - startedMs;
      if (isFinal(cause) || triedMs + RETRY_WAIT_MS >= limitMs)
        throw new UnreachableError(servers, triedMs, { cause });
      await pause(systemClock, RETRY_WAIT_MS);
    }
  }
}

/** Sends what is buffered and closes; a connection that is down is closed as it is. */
export async function closeConnection({ nats, clock }: Connection): Promise<void> {
  if (nats.isClosed()) return;
  const drained = nats.drain().then(
    () => true,
    () => false,
  );
  if ((await within(clock, DRAIN_TIMEOUT_MS, drained)) !== true) await nats.close();
}

/** An answer of a server that will not change by asking again. */
function isFinal(error: unknown): boolean {
  return (
    error instanceof Error && (error.name === "AuthorizationError" || error.name === "InvalidArgumentError")
  );
}

function assertUsable(nats: NatsConnection): void {
  const info = nats.info;
  if (info === undefined) throw new UnreachableError([nats.getServer()], 0);
  if (!isAtLeast(info.version, NATS_VERSION_MIN)) {
    throw new UnsupportedServerError(info.server_name, info.version, NATS_VERSION_MIN);
  }
  if (info.jetstream !== true) throw new JetStreamDisabledError(nats.getServer());
}

export function isAtLeast(version: string, versionMin: string): boolean {
  const numbers = (text: string): number[] => (text.split("-")[0] ?? "").split(".").map(Number);
  const have = numbers(version);
  const need = numbers(versionMin);
  for (let i = 0; i < 3; i++) {
    const difference = (have[i] ?? 0) - (need[i] ?? 0);
    if (difference !== 0) return difference > 0;
  }
  return true;
}
