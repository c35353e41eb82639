/** The packages of an audit by licence. Packages are named by their number in the audit: a name may be there more than once. */
import type { LicenceFinding } from "./licence-finding.ts";
import type { PackageSize } from "./package-files.ts";

export type LicenceGroup = {
  readonly licence: string;
  readonly bytes: number;
  readonly packages: readonly number[];
};

/** The group with the most packages first. `sizes[i]` is of the package of `findings[i]`. */
export function licenceGroupsOf(
  findings: readonly LicenceFinding[],
  sizes: readonly PackageSize[],
): LicenceGroup[] {
  const groups = new Map<string, { bytes: number; readonly packages: number[] }>();
  for (const [index, { licence }] of findings.entries()) {
    const group = groups.get(licence) ?? { bytes: 0, packages: [] };
    groups.set(licence, group);
    group.bytes += sizes[index]?.bytes ?? 0;
    group.packages.push(index);
  }
  return [...groups]
    .map(([licence, group]) => ({ licence, ...group }))
    .sort((a, b) => b.packages.length - a.packages.length || (a.licence < b.licence ? -1 : 1));
}
