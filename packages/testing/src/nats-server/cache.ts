import { chmod, mkdir, mkdtemp, readdir, rename, rm, stat } from "node:fs/promises";
import { homedir } from "node:os";
import { dirname, isAbsolute, join } from "node:path";
import type { InspectedBinary } from "./binary.ts";
import { inspectBinary } from "./binary.ts";
import { reasonOf } from "./errors.ts";
import { compareVersions, formatVersion, parseVersion } from "./version.ts";

// Layout: CACHE/nats-server/v2.15.1-linux-x64/nats-server. A fetch works in CACHE/nats-server/.fetch-XXXXXX and
// ends with one rename of a binary that has proved itself, so a reader never sees half of one and two processes
// that fetch at once only replace each other's equal result.

export const executableName: string = process.platform === "win32" ? "nats-server.exe" : "nats-server";
const platformSuffix = `-${process.platform}-${process.arch}`;
const fetchPrefix = ".fetch-";
/** No fetch runs this long: what is older was left by a process that was killed. */
const fetchAgeMaxMs = 60 * 60 * 1000;

/** `WEFT_CACHE`, else `$XDG_CACHE_HOME/weft`, else `~/.cache/weft`. */
export function cacheFolder(env: NodeJS.ProcessEnv): string {
  const own = env.WEFT_CACHE;
  if (own !== undefined && own !== "") return own;
  const shared = env.XDG_CACHE_HOME;
  // A relative XDG_CACHE_HOME is to be ignored, says its specification.
  if (shared !== undefined && isAbsolute(shared)) return join(shared, "weft");
  return join(env.HOME ?? homedir(), ".cache", "weft");
}

/** The newest usable binary in the cache; throws with the reason when there is none. */
export async function findCached(cache: string, env: NodeJS.ProcessEnv): Promise<InspectedBinary> {
  const folder = join(cache, "nats-server");
  const candidates = (await namesIn(folder))
    .filter((name) => name.startsWith("v") && name.endsWith(platformSuffix))
    .flatMap((name) => {
      const version = parseVersion(name.slice(1, -platformSuffix.length));
      return version === undefined ? [] : [{ path: join(folder, name, executableName), version }];
    })
    .sort((a, b) => compareVersions(b.version, a.version));
  const reasons: string[] = [];
  for (const { path } of candidates) {
    try {
      return await inspectBinary(path, env);
    } catch (error) {
      reasons.push(reasonOf(error));
    }
  }
  throw new Error(reasons.length === 0 ? `nothing in ${folder}` : reasons.join("; "));
}

/** Lets `fetchBinary` bring a binary into a folder of its own, checks it, and moves it to its place in the cache. */
export async function fetchIntoCache(
  cache: string,
  env: NodeJS.ProcessEnv,
  fetchBinary: (folder: string) => Promise<string>,
): Promise<InspectedBinary> {
  const root = join(cache, "nats-server");
  await mkdir(root, { recursive: true });
  await removeAbandonedFetches(root);
  const folder = await mkdtemp(join(root, fetchPrefix));
  try {
    const fetched = await fetchBinary(folder);
    await chmod(fetched, 0o755);
    const { version } = await inspectBinary(fetched, env);
    const path = join(root, `v${formatVersion(version)}${platformSuffix}`, executableName);
    await mkdir(dirname(path), { recursive: true });
    await rename(fetched, path);
    return { path, version };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function removeAbandonedFetches(root: string): Promise<void> {
  for (const name of await namesIn(root)) {
    if (!name.startsWith(fetchPrefix)) continue;
    const path = join(root, name);
    const info = await stat(path).catch(() => undefined);
    if (info !== undefined && Date.now() - info.mtimeMs > fetchAgeMaxMs) {
      await rm(path, { recursive: true, force: true });
    }
  }
}

async function namesIn(folder: string): Promise<readonly string[]> {
  try {
    return await readdir(folder);
  } catch {
    return [];
  }
}
