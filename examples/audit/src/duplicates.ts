/** Finds packages that are installed more than once: in several versions, or one version in several copies. */
import type { PackageDigest } from "./package-digest.ts";
import type { PackageFacts } from "./package-facts.ts";
import type { PackageSize } from "./package-files.ts";
import { compareVersions } from "./version-order.ts";

export type Duplicate = {
  readonly name: string;
  /** Oldest first. */
  readonly versions: readonly DuplicateVersion[];
  /** What would be saved if there were only one copy of the newest version. */
  readonly extraBytes: number;
};

type DuplicateVersion = {
  readonly version: string;
  /** By their number in the audit. */
  readonly packages: readonly number[];
  readonly bytes: number;
  /** Whether all copies have the same files with the same contents. */
  readonly identical: boolean;
};

export type DuplicatesInput = {
  readonly facts: readonly PackageFacts[];
  readonly digests: readonly PackageDigest[];
  readonly sizes: readonly PackageSize[];
};

/** The one that takes the most space first. The lists are of the same packages in the same order. */
export function duplicatesOf({ facts, digests, sizes }: DuplicatesInput): Duplicate[] {
  const bytesOf = (index: number): number => sizes[index]?.bytes ?? 0;
  const sum = (packages: readonly number[]): number =>
    packages.reduce((total, index) => total + bytesOf(index), 0);
  const duplicates: Duplicate[] = [];
  for (const [name, packages] of grouped(facts.keys(), (index) => facts[index]?.name ?? "")) {
    if (packages.length < 2) continue;
    const versions = [...grouped(packages, (index) => facts[index]?.version ?? "")]
      .sort(([a], [b]) => compareVersions(a, b))
      .map(([version, copies]) => ({
        version,
        packages: copies,
        bytes: sum(copies),
        identical: new Set(copies.map((index) => digests[index]?.sha256)).size === 1,
      }));
    const kept = versions.at(-1)?.packages[0];
    duplicates.push({ name, versions, extraBytes: sum(packages) - (kept === undefined ? 0 : bytesOf(kept)) });
  }
  return duplicates.sort((a, b) => b.extraBytes - a.extraBytes || (a.name < b.name ? -1 : 1));
}

function grouped(indexes: Iterable<number>, keyOf: (index: number) => string): Map<string, number[]> {
  const groups = new Map<string, number[]>();
  for (const index of indexes) {
    const key = keyOf(index);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [index]);
    else group.push(index);
  }
  return groups;
}
