/** The files of one package. Packages within it are packages of their own, and no part of it. */
import { lstatSync, readdirSync } from "node:fs";
import { join } from "node:path";

export type PackageFile = {
  /** From the package's folder, with `/` on every system. */
  readonly path: string;
  readonly bytes: number;
};

export type PackageSize = {
  readonly files: number;
  readonly bytes: number;
  readonly largest: PackageFile | null;
};

/** All regular files with their sizes, sorted by path. Links are left out. */
export function filesOf(
  folder: string,
  onProgress: (fraction: number) => void = () => undefined,
): PackageFile[] {
  const paths = pathsBelow(folder, "").sort();
  return paths.map((path, index) => {
    const { size } = lstatSync(join(folder, path));
    onProgress((index + 1) / paths.length);
    return { path, bytes: size };
  });
}

export function sizeOf(files: readonly PackageFile[]): PackageSize {
  let bytes = 0;
  let largest: PackageFile | null = null;
  for (const file of files) {
    bytes += file.bytes;
    if (largest === null || file.bytes > largest.bytes) largest = file;
  }
  return { files: files.length, bytes, largest };
}

function pathsBelow(folder: string, path: string): string[] {
  return readdirSync(join(folder, path), { withFileTypes: true }).flatMap((entry) => {
    const at = path === "" ? entry.name : `${path}/${entry.name}`;
    if (entry.isDirectory()) return entry.name === "node_modules" ? [] : pathsBelow(folder, at);
    return entry.isFile() ? [at] : [];
  });
}
