/** The tasks of the audit, as workers load them. The demo imports only their types. */
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { defineTask, reportProgress } from "@weft/worker";
import { auditOf } from "./audit.ts";
import { type Duplicate, duplicatesOf } from "./duplicates.ts";
import { absolutePathOf, type PackageDir, pathsOfPackages } from "./find-packages.ts";
import { type LicenceFinding, licenceFilesIn, licenceFindingOf } from "./licence-finding.ts";
import { type LicenceGroup, licenceGroupsOf } from "./licence-groups.ts";
import { digestOf, type PackageDigest } from "./package-digest.ts";
import { type PackageFacts, readPackageFacts } from "./package-facts.ts";
import { filesOf, type PackageSize, sizeOf } from "./package-files.ts";
import { htmlReportOf } from "./report-html.ts";
import { markdownReportOf } from "./report-markdown.ts";

export const findPackages = defineTask("find-packages", (folder: string) =>
  pathsOfPackages(folder, (fraction) => reportProgress(fraction)),
);

export const readPackage = defineTask("read-package", { executor: "thread" }, (dir: PackageDir) =>
  readPackageFacts(dir),
);

/** Depends on the package's facts. */
export const detectLicence = defineTask("detect-licence", { executor: "thread" }, (dir: PackageDir, ctx) => {
  const [facts] = ctx.deps as [PackageFacts];
  return licenceFindingOf(facts, licenceFilesIn(absolutePathOf(dir)), (fraction) => reportProgress(fraction));
});

export const hashFiles = defineTask("hash-files", { executor: "thread" }, (dir: PackageDir, ctx) => {
  const folder = absolutePathOf(dir);
  return digestOf(folder, filesOf(folder), {
    onProgress: (fraction) => reportProgress(fraction),
    signal: ctx.signal,
  });
});

export const countBytes = defineTask("count-bytes", { executor: "thread" }, (dir: PackageDir) =>
  sizeOf(filesOf(absolutePathOf(dir), (fraction) => reportProgress(fraction))),
);

/** Depends on the findings, then the sizes, of all packages. */
export const groupLicences = defineTask("group-licences", (packages: number, ctx) => {
  const findings = ctx.deps.slice(0, packages) as LicenceFinding[];
  return licenceGroupsOf(findings, ctx.deps.slice(packages) as PackageSize[]);
});

/** Depends on the facts, then the digests, then the sizes, of all packages. */
export const findDuplicates = defineTask("find-duplicates", (packages: number, ctx) =>
  duplicatesOf({
    facts: ctx.deps.slice(0, packages) as PackageFacts[],
    digests: ctx.deps.slice(packages, 2 * packages) as PackageDigest[],
    sizes: ctx.deps.slice(2 * packages) as PackageSize[],
  }),
);

export type ReportOrder = {
  readonly packages: number;
  readonly folder: string;
  readonly takenAt: string;
  /** The folder to write to. */
  readonly out: string;
};

/** Depends on the findings, digests and sizes of all packages, then the licence groups and the duplicates. */
export const writeReport = defineTask("write-report", async (order: ReportOrder, ctx) => {
  const { packages, folder, takenAt, out } = order;
  const [licences, duplicates] = ctx.deps.slice(3 * packages) as [LicenceGroup[], Duplicate[]];
  const audit = auditOf({
    folder,
    takenAt,
    licences,
    duplicates,
    findings: ctx.deps.slice(0, packages) as LicenceFinding[],
    digests: ctx.deps.slice(packages, 2 * packages) as PackageDigest[],
    sizes: ctx.deps.slice(2 * packages, 3 * packages) as PackageSize[],
  });
  await mkdir(out, { recursive: true });
  const html = join(out, "report.html");
  await writeFile(html, htmlReportOf(audit));
  await writeFile(join(out, "report.md"), markdownReportOf(audit));
  return html;
});
