import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { inspectBinary } from "./binary.ts";
import { NatsServerStartError, NatsServerStoppedError } from "./errors.ts";
import { findNatsServer } from "./finder.ts";
import type { NatsClusterMembership, ServerConfig } from "./server-config.ts";
import { bracketed } from "./server-config.ts";
import { ServerLog } from "./server-log.ts";
import type { NatsServerExit, ServerRun } from "./server-run.ts";
import { launch, shutDown } from "./server-run.ts";
import { formatVersion } from "./version.ts";

export type StartNatsServerOptions = {
  /** The nats-server to run. @default what findNatsServer() finds or fetches */
  readonly binary?: string;
  /** The address to listen on. @default "127.0.0.1", which only this machine reaches */
  readonly host?: string;
  /** The port for clients; 0 takes a free one. @default 0 */
  readonly port?: number;
  /** The port of the HTTP monitoring; 0 takes a free one. @default no monitoring */
  readonly monitorPort?: number;
  /** @default true */
  readonly jetstream?: boolean;
  /** Where JetStream keeps its data; it stays there. @default a temporary folder, removed by `stop()` */
  readonly storeDir?: string;
  /** Whether each write is synced to the disk before it is acknowledged. @default false */
  readonly syncAlways?: boolean;
  /** @default a name that the server makes up */
  readonly serverName?: string;
  /** Makes the server a node of a cluster; it needs a `serverName` then. */
  readonly cluster?: NatsClusterMembership;
  /** More configuration, in the language of nats-server's configuration files. */
  readonly config?: string;
  /** How long it may take until the server listens; a large store takes longer. @default 10000 */
  readonly readyTimeoutMs?: number;
};

/**
 * A nats-server that runs as a child process and ends with this process, however this process ends. Like any child
 * process it keeps this one from ending by itself: `stop()` it.
 */
export type NatsServer = AsyncDisposable & {
  readonly url: string;
  readonly host: string;
  readonly port: number;
  /** Undefined without monitoring. */
  readonly monitorUrl: string | undefined;
  /** Undefined where the server made up a name. */
  readonly serverName: string | undefined;
  /** The process that runs now, or that ran last. */
  readonly pid: number;
  readonly binary: string;
  /** Such as `2.15.1`. */
  readonly version: string;
  /** Undefined without JetStream. */
  readonly storeDir: string | undefined;
  /** Resolves when the process that runs now has ended, by whatever cause. */
  readonly exited: Promise<NatsServerExit>;
  /** The end of what the server wrote, at most 64 KiB of it; also after `stop()`. */
  logs(): string;
  /** Sends a signal; `SIGSTOP` and `SIGCONT` freeze and thaw the server. @default "SIGKILL" */
  kill(signal?: NodeJS.Signals): void;
  /**
   * Starts the server again with the same port and store, after shutting it down if it runs.
   *
   * @throws NatsServerStartError; NatsServerStoppedError after `stop()`.
   */
  restart(): Promise<void>;
  /** Shuts the server down for good and removes what is temporary. Calling it again does nothing more. */
  stop(): Promise<void>;
};

const readyTimeoutMsDefault = 10_000;
const portRetryMs = 20;

/**
 * Starts a nats-server and resolves when it listens, which takes some 10 ms.
 *
 * @throws NatsServerStartError with the tail of its log; the errors of findNatsServer(); NatsServerUnusableError or
 * NatsServerTooOldError for a `binary` that does not fit.
 */
export async function startNatsServer(options: StartNatsServerOptions = {}): Promise<NatsServer> {
  const binary = options.binary === undefined ? await findNatsServer() : await inspect(options.binary);
  const folder = await mkdtemp(join(tmpdir(), "weft-nats-"));
  try {
    const server = new ChildNatsServer(
      binary,
      folder,
      await serverConfig(options, folder),
      options.readyTimeoutMs,
    );
    await server.start();
    return server;
  } catch (error) {
    await rm(folder, { recursive: true, force: true });
    throw error;
  }
}

type Binary = { readonly path: string; readonly version: string };

async function inspect(path: string): Promise<Binary> {
  const { version } = await inspectBinary(path, process.env);
  return { path: resolve(path), version: formatVersion(version) };
}

async function serverConfig(options: StartNatsServerOptions, folder: string): Promise<ServerConfig> {
  const storeDir = options.storeDir === undefined ? join(folder, "store") : resolve(options.storeDir);
  const jetstream = options.jetstream ?? true;
  if (jetstream) await mkdir(storeDir, { recursive: true });
  return {
    host: options.host ?? "127.0.0.1",
    port: chosenByServerIfZero(options.port ?? 0),
    monitorPort: options.monitorPort === undefined ? undefined : chosenByServerIfZero(options.monitorPort),
    serverName: options.serverName,
    storeDir: jetstream ? storeDir : undefined,
    syncAlways: options.syncAlways ?? false,
    cluster: options.cluster,
    logPath: join(folder, "nats-server.log"),
    portsFolder: folder,
    extra: options.config ?? "",
  };
}

/** nats-server asks for a free port with -1, for 0 it takes its default. */
function chosenByServerIfZero(port: number): number {
  return port === 0 ? -1 : port;
}

class ChildNatsServer implements NatsServer {
  readonly #binary: Binary;
  readonly #folder: string;
  readonly #log: ServerLog;
  readonly #readyTimeoutMs: number;
  #config: ServerConfig;
  #run: ServerRun | undefined;
  /** Restarts and the stop, one after the other. */
  #turn: Promise<void> = Promise.resolve();
  #stopped: Promise<void> | undefined;

  constructor(binary: Binary, folder: string, config: ServerConfig, readyTimeoutMs = readyTimeoutMsDefault) {
    this.#binary = binary;
    this.#folder = folder;
    this.#config = config;
    this.#log = new ServerLog(config.logPath);
    this.#readyTimeoutMs = readyTimeoutMs;
  }

  get binary(): string {
    return this.#binary.path;
  }
  get version(): string {
    return this.#binary.version;
  }
  get storeDir(): string | undefined {
    return this.#config.storeDir;
  }
  get host(): string {
    return this.#config.host;
  }
  get port(): number {
    return this.#config.port;
  }
  get url(): string {
    return `nats://${this.#reachable()}:${this.port}`;
  }
  get monitorUrl(): string | undefined {
    const { monitorPort } = this.#config;
    return monitorPort === undefined ? undefined : `http://${this.#reachable()}:${monitorPort}`;
  }
  get serverName(): string | undefined {
    return this.#config.serverName;
  }
  get pid(): number {
    return this.#current().pid;
  }
  get exited(): Promise<NatsServerExit> {
    return this.#current().exited;
  }

  logs(): string {
    return this.#log.tail();
  }

  kill(signal: NodeJS.Signals = "SIGKILL"): void {
    this.#current().child.kill(signal);
  }

  async start(): Promise<void> {
    const run = await this.#launch();
    this.#run = run;
    // From now on the ports are fixed: whoever knows the server finds it there again after a restart.
    const monitorPort = this.#config.monitorPort === undefined ? undefined : run.ports.monitor;
    this.#config = { ...this.#config, port: run.ports.client, monitorPort };
  }

  restart(): Promise<void> {
    if (this.#stopped !== undefined) return Promise.reject(new NatsServerStoppedError("restart"));
    return this.#inTurn(() => this.#restart());
  }

  stop(): Promise<void> {
    this.#stopped ??= this.#inTurn(() => this.#stop());
    return this.#stopped;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }

  #inTurn(action: () => Promise<void>): Promise<void> {
    const result = this.#turn.then(action);
    this.#turn = result.catch(() => undefined);
    return result;
  }

  async #restart(): Promise<void> {
    const previous = this.#current();
    await shutDown(previous);
    const deadline = performance.now() + this.#readyTimeoutMs;
    for (;;) {
      try {
        this.#run = await this.#launch();
        break;
      } catch (error) {
        // While it was down, a connection attempt of a client may have been given the very port it attempts to reach.
        if (!isPortTaken(error) || performance.now() > deadline) throw error;
        await delay(portRetryMs);
      }
    }
    // Only now, so that at every moment some guard would remove the folder.
    previous.release();
  }

  async #stop(): Promise<void> {
    const run = this.#current();
    await shutDown(run);
    this.#log.close();
    await rm(this.#folder, { recursive: true, force: true });
    run.release();
  }

  #launch(): Promise<ServerRun> {
    return launch({
      binary: this.#binary.path,
      config: this.#config,
      folder: this.#folder,
      log: this.#log,
      readyTimeoutMs: this.#readyTimeoutMs,
    });
  }

  #current(): ServerRun {
    if (this.#run === undefined) throw new NatsServerStoppedError("a server that never started");
    return this.#run;
  }

  /** Whoever listens on every address is reached on loopback. */
  #reachable(): string {
    if (this.host === "0.0.0.0") return "127.0.0.1";
    return this.host === "::" ? "[::1]" : bracketed(this.host);
  }
}

/** Whether a start failed because another process holds one of its ports. */
export function isPortTaken(error: unknown): boolean {
  return (
    error instanceof NatsServerStartError && /address already in use|only one usage of each/i.test(error.log)
  );
}
