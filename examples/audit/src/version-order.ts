/** Orders versions as semver does: by number, a pre-release before its release. */
export function compareVersions(a: string, b: string): number {
  const [left, right] = [partsOf(a), partsOf(b)];
  return (
    compareLists(left.numbers, right.numbers) ||
    Number(left.prerelease.length === 0) - Number(right.prerelease.length === 0) ||
    compareLists(left.prerelease, right.prerelease)
  );
}

type Parts = { readonly numbers: readonly string[]; readonly prerelease: readonly string[] };

function partsOf(version: string): Parts {
  const [release = "", ...rest] = (version.split("+")[0] ?? "").split("-");
  const prerelease = rest.join("-");
  return { numbers: release.split("."), prerelease: prerelease === "" ? [] : prerelease.split(".") };
}

function compareLists(a: readonly string[], b: readonly string[]): number {
  for (let at = 0; at < Math.max(a.length, b.length); at++) {
    const order = compareParts(a[at], b[at]);
    if (order !== 0) return order;
  }
  return 0;
}

/** What is missing comes first, then numbers, then words. */
function compareParts(a: string | undefined, b: string | undefined): number {
  if (a === b) return 0;
  if (a === undefined) return -1;
  if (b === undefined) return 1;
  const [left, right] = [numberOf(a), numberOf(b)];
  if (left !== null && right !== null) return left - right;
  if (left !== null) return -1;
  if (right !== null) return 1;
  return a < b ? -1 : 1;
}

function numberOf(part: string): number | null {
  return /^\d+$/.test(part) ? Number(part) : null;
}
