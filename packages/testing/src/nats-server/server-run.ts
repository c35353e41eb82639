import type { ChildProcess } from "node:child_process";
import { readdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { NatsServerStartError } from "./errors.ts";
import { jsonField } from "./json-field.ts";
import { spawnGuarded } from "./lifeline.ts";
import type { ServerConfig } from "./server-config.ts";
import { renderServerConfig } from "./server-config.ts";
import type { ServerLog } from "./server-log.ts";

export type NatsServerExit = {
  /** Null when a signal ended it. */
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
};

type ServerPorts = { readonly client: number; readonly monitor: number | undefined };

/** One life of the server's process. */
export type ServerRun = {
  readonly child: ChildProcess;
  readonly pid: number;
  readonly ports: ServerPorts;
  readonly exited: Promise<NatsServerExit>;
  /** Ends the guard of this run; to be called once the server has ended. */
  readonly release: () => void;
};

export type LaunchOptions = {
  readonly binary: string;
  readonly config: ServerConfig;
  /** Temporary folder of this server, removed if this process dies. */
  readonly folder: string;
  readonly log: ServerLog;
  readonly readyTimeoutMs: number;
};

/** How long a server may take to shut down before it is killed. */
const stopGraceMs = 5_000;
/** A server starts in about 10 ms: looking often costs little and is over soon. */
const readyCheckMs = 2;

/** Starts the server's process and waits until it listens, JetStream included. */
export async function launch(options: LaunchOptions): Promise<ServerRun> {
  const { binary, config, folder, log, readyTimeoutMs } = options;
  const configPath = join(folder, "nats-server.conf");
  await writeFile(configPath, renderServerConfig(config));
  await removePortsFiles(config.portsFolder);
  log.beginRun();
  const { child, release } = spawnGuarded(binary, ["-c", configPath], { folder });
  child.stderr?.setEncoding("utf8").on("data", (text: string) => log.addStderr(text));
  const exited = watchExit(child);
  const fail = (reason: string): NatsServerStartError => {
    release();
    return new NatsServerStartError(binary, reason, log.tailOfRun());
  };
  const { pid } = child;
  if (pid === undefined) {
    await exited;
    throw fail("its process could not be created");
  }
  let exit: NatsServerExit | undefined;
  void exited.then((value) => {
    exit = value;
  });
  const deadline = performance.now() + readyTimeoutMs;
  for (;;) {
    const ports = await readPorts(config.portsFolder, pid);
    if (exit !== undefined) throw fail(describeExit(exit));
    if (ports !== undefined) return { child, pid, ports, exited, release };
    if (performance.now() > deadline) {
      child.kill("SIGKILL");
      await exited;
      throw fail(`it was not ready within ${readyTimeoutMs} ms`);
    }
    await Promise.race([exited, delay(readyCheckMs)]);
  }
}

/** Shuts the server down, with force if it does not end by itself; resolves when its process is gone. */
export async function shutDown(run: ServerRun): Promise<void> {
  run.child.kill("SIGTERM");
  // One that a test has frozen could not even hear it.
  run.child.kill("SIGCONT");
  const grace = setTimeout(() => run.child.kill("SIGKILL"), stopGraceMs);
  await run.exited;
  clearTimeout(grace);
}

function watchExit(child: ChildProcess): Promise<NatsServerExit> {
  return new Promise((resolve) => {
    child.once("exit", (code, signal) => resolve({ code, signal }));
    child.once("error", () => {
      // Without a process there will be no exit; with one this is a signal that could not be sent.
      if (child.pid === undefined) resolve({ code: null, signal: null });
    });
  });
}

function describeExit({ code, signal }: NatsServerExit): string {
  return signal === null ? `it exited with ${code}` : `it was ended by ${signal}`;
}

// The server itself writes the ports that it got into `NAME_PID.ports`, once it listens on all of them.

async function readPorts(folder: string, pid: number): Promise<ServerPorts | undefined> {
  const name = (await readdir(folder)).find((candidate) => candidate.endsWith(`_${pid}.ports`));
  return name === undefined ? undefined : parsePorts(await readFile(join(folder, name), "utf8"));
}

async function removePortsFiles(folder: string): Promise<void> {
  const names = (await readdir(folder)).filter((name) => name.endsWith(".ports"));
  await Promise.all(names.map((name) => rm(join(folder, name), { force: true })));
}

function parsePorts(text: string): ServerPorts | undefined {
  let content: unknown;
  try {
    content = JSON.parse(text);
  } catch {
    // It is being written: it will be whole at the next look.
    return undefined;
  }
  const client = portIn(content, "nats");
  return client === undefined ? undefined : { client, monitor: portIn(content, "monitoring") };
}

function portIn(content: unknown, key: string): number | undefined {
  const addresses = jsonField(content, key);
  const first: unknown = Array.isArray(addresses) ? addresses[0] : undefined;
  return typeof first === "string" ? Number(new URL(first).port) : undefined;
}
