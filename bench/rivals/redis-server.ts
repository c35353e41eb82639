/**
 * A Redis for a rival: the one on the PATH, else Debian's packages, unpacked into the cache and not installed. It keeps
 * nothing on disk, which is the fastest that it can be set to.
 */
import { type ChildProcess, execFile, spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdir, mkdtemp, readdir, rename, rm } from "node:fs/promises";
import { connect, createServer } from "node:net";
import { homedir, tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { promisify } from "node:util";
import { versionOf } from "../machine.ts";
import type { RivalServer } from "./rivals.ts";

const run = promisify(execFile);

/** The server, and the libraries that a bare Debian has not. */
const PACKAGES = ["redis-server", "redis-tools", "libatomic1", "libjemalloc2", "liblzf1"];
const READY_TRIES = 200;
const READY_WAIT_MS = 25;

type Binary = { readonly path: string; readonly libraries: string | null };

export async function startRedisServer(): Promise<RivalServer> {
  const { path, libraries } = await findRedisServer();
  const env = libraries === null ? process.env : { ...process.env, LD_LIBRARY_PATH: libraries };
  const { stdout } = await run(path, ["--version"], { env });
  const version = /v=(\S+)/.exec(stdout)?.[1] ?? "unknown";
  const port = await freePort();
  const folder = await mkdtemp(join(tmpdir(), "weft-bench-redis-"));
  const settings = ["--port", String(port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"];
  const child = spawn(path, [...settings, "--maxmemory-policy", "noeviction", "--dir", folder], {
    env,
    stdio: "ignore",
  });
  const end = async (): Promise<void> => {
    await stop(child);
    await rm(folder, { recursive: true, force: true });
  };
  if (await answers(port, child)) {
    const versions = { bullmq: versionOf("bullmq"), redis: version };
    return { url: `redis://127.0.0.1:${port}`, pid: child.pid ?? 0, versions, [Symbol.asyncDispose]: end };
  }
  await end();
  throw new Error(`redis-server (${path}) did not take connections`);
}

async function findRedisServer(): Promise<Binary> {
  for (const folder of (process.env.PATH ?? "").split(":")) {
    const path = join(folder, "redis-server");
    if (existsSync(path)) return { path, libraries: null };
  }
  const cache = join(process.env.XDG_CACHE_HOME ?? join(homedir(), ".cache"), "weft", "redis");
  if (!existsSync(cache)) await unpack(cache);
  const places = await readdir(join(cache, "usr", "lib"));
  const libraries = places.map((name) => join(cache, "usr", "lib", name)).join(":");
  return { path: join(cache, "usr", "bin", "redis-server"), libraries };
}

async function unpack(target: string): Promise<void> {
  const folder = `${target}.${process.pid}`;
  await mkdir(folder, { recursive: true });
  try {
    await run("apt-get", ["download", ...PACKAGES], { cwd: folder });
    for (const name of await readdir(folder)) {
      if (name.endsWith(".deb")) await run("dpkg-deb", ["-x", name, "root"], { cwd: folder });
    }
    await rename(join(folder, "root"), target);
  } catch (cause) {
    throw new Error("no redis-server on the PATH, and Debian's could not be fetched", { cause });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function freePort(): Promise<number> {
  const listener = createServer();
  await new Promise<void>((resolve) => listener.listen(0, "127.0.0.1", resolve));
  const address = listener.address();
  await new Promise((resolve) => listener.close(resolve));
  return typeof address === "object" && address !== null ? address.port : 0;
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

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = new Promise((resolve) => child.once("exit", resolve));
  child.kill("SIGKILL");
  await exited;
}
