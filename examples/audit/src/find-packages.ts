/** Finds the packages of a `node_modules` folder: pnpm's store, a plain tree of packages within packages, or a mix. */
import type { Dirent } from "node:fs";
import { readdir } from "node:fs/promises";
import { join } from "node:path";

/** Where a package is. The folder is the same for all of one audit, so that only the path differs. */
export type PackageDir = {
  /** The `node_modules` folder that is audited. */
  readonly folder: string;
  /** From there to the package, with `/` on every system. */
  readonly path: string;
};

const STORE = ".pnpm";

export function absolutePathOf({ folder, path }: PackageDir): string {
  return join(folder, ...path.split("/"));
}

/**
 * The paths of all packages below a `node_modules` folder, sorted. Links are left out: what they lead to is found where it
 * really is. Rejects where there is no such folder.
 */
export async function pathsOfPackages(
  folder: string,
  onProgress: (fraction: number) => void = () => undefined,
): Promise<string[]> {
  const top = await packagesIn(folder, "", await readdir(folder, { withFileTypes: true }));
  const store = await nodeModulesOfStore(folder);
  const paths: string[] = [];
  const total = top.length + store.length;
  let done = 0;
  const visited = (found: readonly string[]): void => {
    paths.push(...found);
    done++;
    onProgress(done / total);
  };
  for (const path of top) visited([path, ...(await packagesBelow(folder, `${path}/node_modules`))]);
  for (const path of store) visited(await packagesBelow(folder, path));
  if (total === 0) onProgress(1);
  return paths.sort();
}

/** The packages of one `node_modules` folder, and those of the `node_modules` within them, all the way down. */
async function packagesBelow(folder: string, path: string): Promise<string[]> {
  const entries = await entriesOf(join(folder, path));
  const packages = await packagesIn(folder, path, entries);
  const below = [];
  for (const each of packages) below.push(...(await packagesBelow(folder, `${each}/node_modules`)));
  return [...packages, ...below];
}

async function packagesIn(folder: string, path: string, entries: readonly Dirent[]): Promise<string[]> {
  const candidates: string[] = [];
  for (const entry of entries) {
    if (!entry.isDirectory() || entry.name.startsWith(".")) continue;
    const at = path === "" ? entry.name : `${path}/${entry.name}`;
    if (!entry.name.startsWith("@")) candidates.push(at);
    else
      candidates.push(
        ...(await entriesOf(join(folder, at))).filter(isFolder).map(({ name }) => `${at}/${name}`),
      );
  }
  const packages = [];
  for (const each of candidates) {
    const files = await entriesOf(join(folder, each));
    if (files.some((file) => file.name === "package.json" && file.isFile())) packages.push(each);
  }
  return packages;
}

async function nodeModulesOfStore(folder: string): Promise<string[]> {
  const entries = await entriesOf(join(folder, STORE));
  return entries.filter(isFolder).map(({ name }) => `${STORE}/${name}/node_modules`);
}

function isFolder(entry: Dirent): boolean {
  return entry.isDirectory();
}

/** Empty where there is no such folder. */
async function entriesOf(path: string): Promise<Dirent[]> {
  try {
    return await readdir(path, { withFileTypes: true });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return [];
    throw error;
  }
}
