/** A Redis that keeps nothing on disk, which is the fastest that it can be set to: the one on the PATH, else Debian's. */
import { type ChildProcess, execFile, spawn } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { promisify } from "node:util";
import { versionOf } from "../machine.ts";
import { programOn, unpacked } from "./debian-package.ts";
import type { RivalServer } from "./rivals.ts";
import { freePort, stopProcess } from "./server-process.ts";

const run = promisify(execFile);

/** The server, and the libraries that a bare Debian has not. */
const PACKAGES = ["redis-server", "redis-tools", "libatomic1", "libjemalloc2", "liblzf1"];
const READY_TRIES = 200;
const READY_WAIT_MS = 25;

type Binary = { readonly path: string; readonly env: NodeJS.ProcessEnv };

export async function startRedisServer(): Promise<RivalServer> {
  const { path, env } = await findRedisServer();
  const { stdout } = await run(path, ["--version"], { env });
  const versions = { bullmq: versionOf("bullmq"), redis: /v=(\S+)/.exec(stdout)?.[1] ?? "unknown" };
  const port = await freePort();
  const folder = await mkdtemp(join(tmpdir(), "weft-bench-redis-"));
  const settings = ["--port", String(port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"];
  const child = spawn(path, [...settings, "--maxmemory-policy", "noeviction", "--dir", folder], {
    env,
    stdio: "ignore",
  });
  const end = async (): Promise<void> => {
    await stopProcess(child, "SIGKILL");
    await rm(folder, { recursive: true, force: true });
  };
  if (await answers(port, child))
    return { url: `redis://127.0.0.1:${port}`, pid: child.pid ?? 0, versions, [Symbol.asyncDispose]: end };
  await end();
  throw new Error(`redis-server (${path}) did not take connections`);
}

async function findRedisServer(): Promise<Binary> {
  const path = programOn("redis-server");
  if (path !== null) return { path, env: process.env };
  const { root, libraries } = await unpacked("redis", async () => PACKAGES);
  return {
    path: join(root, "usr", "bin", "redis-server"),
    env: { ...process.env, LD_LIBRARY_PATH: libraries },
  };
}

async function answers(port: number, child: ChildProcess): Promise<boolean> {
  for (let tries = 0; tries < READY_TRIES && child.exitCode === null; tries++) {
    const isOpen = await new Promise<boolean>((resolve) => {
      const socket = connect(port, "127.0.0.1");
      socket.once("connect", () => resolve(true)).once("error", () => resolve(false));
      socket.once("connect", () => socket.destroy());
    });
    if (isOpen) return true;
    await pause(READY_WAIT_MS);
  }
  return false;
}
