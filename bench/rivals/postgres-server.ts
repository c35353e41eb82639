/**
 * A PostgreSQL that waits for no disk, which is the fastest that it can be set to: the machine's, else Debian's. It
 * refuses to run as root; then it runs as another user, to whom its folder belongs.
 */
import { type ChildProcess, execFile, spawn } from "node:child_process";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { chown, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { promisify } from "node:util";
import { versionOf } from "../machine.ts";
import { programOn, unpacked } from "./debian-package.ts";
import type { RivalServer } from "./rivals.ts";
import { freePort, stopProcess } from "./server-process.ts";

const run = promisify(execFile);

const SETTINGS: Readonly<Record<string, string>> = {
  fsync: "off",
  synchronous_commit: "off",
  full_page_writes: "off",
  wal_level: "minimal",
  max_wal_senders: "0",
  max_wal_size: "4GB",
  shared_buffers: "256MB",
  jit: "off",
  lc_messages: "C",
};

const READY = "database system is ready to accept connections";
/** Debian puts its programs here, by major version, and not on the PATH. */
const DEBIAN_FOLDER = "usr/lib/postgresql";
const NOBODY_ID = 65_534;

type Installation = { readonly folder: string; readonly env: NodeJS.ProcessEnv };
type Somebody = { readonly uid: number; readonly gid: number };

/** @param library That of the rival: its version is told beside that of the server. */
export async function startPostgresServer(library: string): Promise<RivalServer> {
  const { folder: programs, env } = await findPostgres();
  const { stdout } = await run(join(programs, "postgres"), ["--version"], { env });
  const versions = { [library]: versionOf(library), postgresql: /\d+\.\d+/.exec(stdout)?.[0] ?? "unknown" };
  const port = await freePort();
  const owner = somebody();
  const folder = await mkdtemp(join(tmpdir(), "weft-bench-postgres-"));
  if (owner !== null) await chown(folder, owner.uid, owner.gid);
  const options = { ...owner, env, cwd: folder };
  const data = join(folder, "data");
  const initial = [
    "-D",
    data,
    "-U",
    "bench",
    "--auth",
    "trust",
    "--no-sync",
    "--locale",
    "C",
    "--encoding",
    "UTF8",
  ];
  let child: ChildProcess | null = null;
  const end = async (): Promise<void> => {
    // Its quick way out, in which it ends its other processes too.
    if (child !== null) await stopProcess(child, "SIGQUIT");
    await rm(folder, { recursive: true, force: true });
  };
  try {
    await run(join(programs, "initdb"), initial, options);
    const settings = {
      ...SETTINGS,
      port: String(port),
      listen_addresses: "127.0.0.1",
      unix_socket_directories: folder,
    };
    const args = Object.entries(settings).flatMap(([name, value]) => ["-c", `${name}=${value}`]);
    child = spawn(join(programs, "postgres"), ["-D", data, ...args], {
      ...options,
      stdio: ["ignore", "ignore", "pipe"],
    });
    await untilReady(child);
  } catch (error) {
    await end();
    throw error;
  }
  const url = `postgres://bench@127.0.0.1:${port}/postgres`;
  return { url, pid: child.pid ?? 0, versions, [Symbol.asyncDispose]: end };
}

async function untilReady(child: ChildProcess): Promise<void> {
  if (child.stderr === null) throw new Error("postgres has no standard error");
  const told: string[] = [];
  const lines = createInterface(child.stderr);
  await new Promise<void>((resolve, reject) => {
    const fail = (): void => reject(new Error(`postgres did not start:\n${told.join("\n")}`));
    child.once("error", reject).once("exit", fail);
    lines.on("line", (line) => {
      told.push(line);
      if (line.includes(READY)) resolve();
    });
  });
  lines.removeAllListeners("line").on("line", () => undefined);
}

async function findPostgres(): Promise<Installation> {
  const path = programOn("initdb", versionsIn("/"));
  if (path !== null) return { folder: join(path, ".."), env: process.env };
  const { root, libraries } = await unpacked("postgresql", packages);
  const [folder] = versionsIn(root);
  if (folder === undefined) throw new Error(`${root} has no PostgreSQL`);
  return { folder, env: { ...process.env, LD_LIBRARY_PATH: libraries } };
}

/** The folders of the programs below a root. */
function versionsIn(root: string): string[] {
  const folder = join(root, DEBIAN_FOLDER);
  if (!existsSync(folder)) return [];
  return readdirSync(folder).map((version) => join(folder, version, "bin"));
}

/** The server of this Debian's version, with the libraries that it needs; neither the compiler for queries nor those of all programs. */
async function packages(): Promise<readonly string[]> {
  const server = "postgresql";
  const { stdout: direct } = await run("apt-cache", ["depends", "-i", server]);
  const version = new RegExp(`${server}-\\d+`).exec(direct)?.[0];
  if (version === undefined) throw new Error("Debian's list of packages has no PostgreSQL: apt-get update");
  const { stdout } = await run("apt-cache", ["depends", "-i", "--recurse", version]);
  const all = stdout.split("\n").filter((line) => /^lib(?!c6|llvm|perl|gcc|stdc)/.test(line));
  return [version, version.replace(server, `${server}-client`), ...new Set(all)];
}

/** Whom the server runs as; null for whoever runs this. */
function somebody(): Somebody | null {
  if (process.getuid?.() !== 0) return null;
  const [, uid, gid] = /^postgres:[^:]*:(\d+):(\d+)/m.exec(readFileSync("/etc/passwd", "utf8")) ?? [];
  return { uid: Number(uid ?? NOBODY_ID), gid: Number(gid ?? NOBODY_ID) };
}
