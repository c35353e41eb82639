/**
 * Claims a store folder for one `weft dev`: two servers on one store would destroy it, and nats-server itself does not
 * look. The claim is a file that names who holds it. One that was killed leaves its file behind; its server is stopped by
 * its guard within seconds, and the store is free once both are gone.
 */
import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { UsageError } from "@weft/protocol";
import { isProcessRunning } from "@weft/testing";

type Holder = { readonly pid: number; readonly serverPid: number | null; readonly url: string | null };

export type StoreClaim = {
  readonly storeDir: string;
  /** Names the server that now uses the store. */
  readonly hold: (serverPid: number, url: string) => Promise<void>;
  readonly release: () => Promise<void>;
};

const CLAIM_FILE = "weft-dev.json";
const FREED_WAIT_MS = 10_000;
const LOOK_AGAIN_MS = 50;

/** Throws `UsageError` while another holds it. */
export async function claimStore(folder: string): Promise<StoreClaim> {
  const storeDir = resolve(folder);
  await mkdir(storeDir, { recursive: true });
  const path = join(storeDir, CLAIM_FILE);
  const text = (holder: Holder): string => `${JSON.stringify(holder)}\n`;
  const mine: Holder = { pid: process.pid, serverPid: null, url: null };
  const deadlineMs = performance.now() + FREED_WAIT_MS;
  while (!(await create(path, text(mine)))) {
    const holder = await read(path);
    if (holder !== null && isProcessRunning(holder.pid)) throw new UsageError(inUse(storeDir, path, holder));
    const isServerLeft = holder !== null && holder.serverPid !== null && isProcessRunning(holder.serverPid);
    if (!isServerLeft || performance.now() > deadlineMs) await rm(path, { force: true });
    else await new Promise((again) => setTimeout(again, LOOK_AGAIN_MS));
  }
  return {
    storeDir,
    hold: (serverPid, url) => writeFile(path, text({ ...mine, serverPid, url })),
    release: () => rm(path, { force: true }),
  };
}

function inUse(storeDir: string, path: string, { pid, url }: Holder): string {
  const where = url === null ? "" : ` at ${url}`;
  return `the store ${storeDir} is in use by another \`weft dev\` (pid ${pid})${where}: use that one, stop it, or name another --store-dir. If pid ${pid} is something else, remove ${path}`;
}

/** False where it is there already. */
async function create(path: string, text: string): Promise<boolean> {
  try {
    await writeFile(path, text, { flag: "wx" });
    return true;
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "EEXIST") return false;
    throw error;
  }
}

/** Null where it is gone, or not a claim. */
async function read(path: string): Promise<Holder | null> {
  try {
    const value: unknown = JSON.parse(await readFile(path, "utf8"));
    if (typeof value !== "object" || value === null || !("pid" in value) || typeof value.pid !== "number")
      return null;
    const serverPid = "serverPid" in value && typeof value.serverPid === "number" ? value.serverPid : null;
    const url = "url" in value && typeof value.url === "string" ? value.url : null;
    return { pid: value.pid, serverPid, url };
  } catch {
    return null;
  }
}
