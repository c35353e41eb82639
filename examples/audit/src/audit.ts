/** A finished audit: everything that a report shows. */
import type { Duplicate } from "./duplicates.ts";
import type { LicenceFinding, Verdict } from "./licence-finding.ts";
import type { LicenceGroup } from "./licence-groups.ts";
import type { PackageDigest } from "./package-digest.ts";
import type { PackageSize } from "./package-files.ts";

export type AuditedPackage = LicenceFinding & Pick<PackageDigest, "sha256"> & PackageSize;

export type Audit = {
  /** The folder that was audited. */
  readonly folder: string;
  /** When, as an ISO 8601 text. */
  readonly takenAt: string;
  readonly packages: readonly AuditedPackage[];
  readonly licences: readonly LicenceGroup[];
  readonly duplicates: readonly Duplicate[];
};

export type AuditParts = Omit<Audit, "packages"> & {
  readonly findings: readonly LicenceFinding[];
  readonly digests: readonly PackageDigest[];
  readonly sizes: readonly PackageSize[];
};

/** Throws where the lists are not of the same packages. */
export function auditOf({ findings, digests, sizes, ...rest }: AuditParts): Audit {
  const packages = findings.map((finding, index) => {
    const [digest, size] = [digests[index], sizes[index]];
    if (digest === undefined || size === undefined || digest.files !== size.files) {
      throw new Error(`${finding.name}@${finding.version} changed while it was audited`);
    }
    return { ...finding, ...size, sha256: digest.sha256 };
  });
  return { ...rest, packages };
}

export type Totals = {
  readonly packages: number;
  readonly files: number;
  readonly bytes: number;
  readonly licences: number;
  readonly severalVersions: number;
  readonly extraBytes: number;
  readonly toLookAt: number;
};

export function totalsOf(audit: Audit): Totals {
  const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);
  return {
    packages: audit.packages.length,
    files: sum(audit.packages.map(({ files }) => files)),
    bytes: sum(audit.packages.map(({ bytes }) => bytes)),
    licences: audit.licences.length,
    severalVersions: audit.duplicates.filter(({ versions }) => versions.length > 1).length,
    extraBytes: sum(audit.duplicates.map(({ extraBytes }) => extraBytes)),
    toLookAt: toLookAt(audit).length,
  };
}

/** Packages whose licence a person should look at, the most doubtful first. */
export function toLookAt(audit: Audit): AuditedPackage[] {
  return DOUBTS.flatMap((doubt) => audit.packages.filter(({ verdict }) => verdict === doubt));
}

const DOUBTS: readonly Verdict[] = ["differs", "nothing", "unrecognised", "undeclared", "no-text"];

const VERDICTS: Readonly<Record<Verdict, string>> = {
  agrees: "text and package.json agree",
  differs: "the text is of another licence than package.json names",
  undeclared: "package.json names no licence",
  "no-text": "no licence text",
  unrecognised: "the licence text is none of the known ones",
  nothing: "neither a text nor a name",
};

/** A verdict in words. */
export function verdictText(verdict: Verdict): string {
  return VERDICTS[verdict];
}
