/** Programs that a machine may not have: Debian's packages, unpacked into a cache and not installed. */
import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdir, readdir, rename, rm } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";

const run = promisify(execFile);

/** Of root, one that others may enter: a server may have to run as somebody else. */
function cacheFolder(): string {
  if (process.getuid?.() === 0) return "/var/cache/weft";
  return join(process.env.XDG_CACHE_HOME ?? join(homedir(), ".cache"), "weft");
}

export type Unpacked = {
  /** Where what belongs below `/` is. */
  readonly root: string;
  /** For `LD_LIBRARY_PATH`. */
  readonly libraries: string;
};

/** @param packages Those that a bare Debian has not, libraries among them; asked for where nothing is in the cache. */
export async function unpacked(name: string, packages: () => Promise<readonly string[]>): Promise<Unpacked> {
  const root = join(cacheFolder(), name);
  if (!existsSync(root)) await unpack(name, root, await packages());
  const places = await readdir(join(root, "usr", "lib"));
  return { root, libraries: places.map((place) => join(root, "usr", "lib", place)).join(":") };
}

async function unpack(name: string, target: string, packages: readonly string[]): Promise<void> {
  const folder = `${target}.${process.pid}`;
  await mkdir(folder, { recursive: true });
  try {
    await download(packages, folder);
    for (const file of await readdir(folder)) {
      if (file.endsWith(".deb")) await run("dpkg-deb", ["-x", file, "root"], { cwd: folder });
    }
    await rename(join(folder, "root"), target);
  } catch (cause) {
    throw new Error(`this machine has no ${name}, and Debian's could not be fetched`, { cause });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function download(packages: readonly string[], folder: string): Promise<void> {
  const args = ["download", ...packages];
  try {
    await run("apt-get", args, { cwd: folder });
  } catch {
    // A machine that is new, or was not asked for long, knows no packages, or old ones.
    await run("apt-get", ["update"]);
    await run("apt-get", args, { cwd: folder });
  }
}

/** A program on the PATH or in one of some folders beside it; null where there is none. */
export function programOn(name: string, more: readonly string[] = []): string | null {
  const folders = [...more, ...(process.env.PATH ?? "").split(":")];
  return folders.map((folder) => join(folder, name)).find((path) => existsSync(path)) ?? null;
}
