/** Looks at a packed package as its users would get it. */
import { readFile } from "node:fs/promises";
import { checkPackage, createPackageFromTarballData, type Problem } from "@arethetypeswrong/core";
import { filterProblems, problemKindInfo } from "@arethetypeswrong/core/problems";
import { publint } from "publint";
import { formatMessage } from "publint/utils";

// The packages are modules for Node 22 and newer: what `require` or an older resolution makes of them is no fault.
const resolutions = ["node16-esm", "bundler"] as const;

export type PackedPackage = {
  readonly name: string;
  /** What is wrong with it, one sentence each. */
  readonly faults: readonly string[];
};

/** Checks what the manifest in the tarball promises, and that its types resolve for a module that imports it. */
export async function checkPackedPackage(tarballPath: string): Promise<PackedPackage> {
  const bytes = await readFile(tarballPath);
  const tarball = new Uint8Array(bytes).buffer;
  const { messages, pkg } = await publint({ pack: { tarball }, strict: true });
  const analysis = await checkPackage(createPackageFromTarballData(new Uint8Array(tarball)));
  const problems = analysis.types
    ? new Set(resolutions.flatMap((resolutionKind) => filterProblems(analysis, { resolutionKind })))
    : [];
  return {
    name: analysis.packageName,
    faults: [
      ...messages.map((message) => formatMessage(message, pkg, { color: false }) ?? message.code),
      ...[...problems].map((problem) => describe(problem)),
      ...(analysis.types ? [] : ["It has no types."]),
    ],
  };
}

function describe(problem: Problem): string {
  const where =
    "entrypoint" in problem
      ? ` (${problem.entrypoint})`
      : "fileName" in problem
        ? ` (${problem.fileName})`
        : "";
  return `${problemKindInfo[problem.kind].shortDescription}${where}`;
}
