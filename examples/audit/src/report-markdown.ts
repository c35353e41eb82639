/** An audit as a Markdown document. What packages say of themselves is shown as text, whatever characters it has. */
import { type Audit, type AuditedPackage, toLookAt, totalsOf, verdictText } from "./audit.ts";
import type { Duplicate } from "./duplicates.ts";
import { bytesText, countOf, countText } from "./quantity.ts";

const LARGEST_MAX = 20;

type Cell = { readonly markdown: string };
type Column = { readonly title: string; readonly right?: boolean };

export function markdownReportOf(audit: Audit): string {
  const totals = totalsOf(audit);
  return [
    "# Audit of installed packages",
    `${code(audit.folder)}, ${text(audit.takenAt)}`,
    table(
      [
        { title: "Packages", right: true },
        { title: "Files", right: true },
        { title: "Size", right: true },
        { title: "Licences", right: true },
        { title: "Licences to look at", right: true },
        { title: "In several versions", right: true },
      ],
      [
        [
          totals.packages,
          totals.files,
          bytesText(totals.bytes),
          totals.licences,
          totals.toLookAt,
          totals.severalVersions,
        ].map((value) => cell(typeof value === "number" ? countText(value) : value)),
      ],
    ),
    "## Licences",
    licences(audit),
    "## Licences to look at",
    doubts(toLookAt(audit)),
    "## Installed more than once",
    duplicates(audit.duplicates, totals.extraBytes),
    `## The largest`,
    largest(audit.packages),
    "## All packages",
    all(audit.packages),
  ]
    .join("\n\n")
    .concat("\n");
}
