export type NatsServerVersion = {
  readonly major: number;
  readonly minor: number;
  readonly patch: number;
  /** Such as `RC.1` or `preview.2`; empty for a release. */
  readonly prerelease: string;
};

/** The oldest line with everything that the log needs. 2.10 on three nodes can acknowledge what it never stored. */
export const natsServerVersionMin = "2.12";
const versionMin: NatsServerVersion = { major: 2, minor: 12, patch: 0, prerelease: "" };

// A build suffix such as Debian's or a git hash may follow; it does not order versions.
const versionPattern =
  /(?:^|[\s:])v?(\d{1,9})\.(\d{1,9})\.(\d{1,9})(?:-([0-9A-Za-z.-]+))?(?:\+[0-9A-Za-z.-]+)?(?=\s|$)/;

/** Reads a bare version or what `nats-server --version` prints; undefined when there is none in it. */
export function parseVersion(text: string): NatsServerVersion | undefined {
  const match = versionPattern.exec(text);
  if (match === null) return undefined;
  const [, major, minor, patch, prerelease] = match;
  return { major: Number(major), minor: Number(minor), patch: Number(patch), prerelease: prerelease ?? "" };
}

export function formatVersion(version: NatsServerVersion): string {
  const { major, minor, patch, prerelease } = version;
  return `${major}.${minor}.${patch}${prerelease === "" ? "" : `-${prerelease}`}`;
}

/** Negative when `a` is older than `b`. A pre-release is older than its release, as in semantic versioning. */
export function compareVersions(a: NatsServerVersion, b: NatsServerVersion): number {
  const byNumber = a.major - b.major || a.minor - b.minor || a.patch - b.patch;
  if (byNumber !== 0 || a.prerelease === b.prerelease) return byNumber;
  if (a.prerelease === "") return 1;
  if (b.prerelease === "") return -1;
  return a.prerelease.localeCompare(b.prerelease, "en", { numeric: true });
}

export function isSupported(version: NatsServerVersion): boolean {
  return compareVersions(version, versionMin) >= 0;
}
