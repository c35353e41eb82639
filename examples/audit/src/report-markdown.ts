/** An audit as a Markdown document. What packages say of themselves is shown as text, whatever characters it has. */
import { type Audit, type AuditedPackage, toLookAt, totalsOf, verdictText } from "./audit.ts";
import type { Duplicate } from "./duplicates.ts";
import { bytesText, countOf, countText } from "./quantity.ts";

const LARGEST_MAX = 20;

type Column = { readonly title: string; readonly right?: boolean };

export function markdownReportOf(audit: Audit): string {
  const totals = totalsOf(audit);
  const sum = `${countOf(totals.packages, "package")}, ${countOf(totals.files, "file")}, ${bytesText(totals.bytes)}`;
  const sections = [
    "# Audit of installed packages",
    `Of ${text(audit.folder)}, ${text(audit.takenAt)}: ${sum}.`,
    "## Licences",
    licences(audit),
    "## Licences to look at",
    doubts(toLookAt(audit)),
    "## Installed more than once",
    duplicates(audit.duplicates, totals.extraBytes),
    "## The largest",
    largest(audit.packages),
    "## All packages",
    all(audit.packages),
  ];
  return `${sections.join("\n\n")}\n`;
}

function licences(audit: Audit): string {
  return table(
    [{ title: "Licence" }, { title: "Packages", right: true }, { title: "Size", right: true }],
    audit.licences.map(({ licence, packages, bytes }) => [
      licence,
      countText(packages.length),
      bytesText(bytes),
    ]),
  );
}

function doubts(packages: readonly AuditedPackage[]): string {
  if (packages.length === 0) return "None.";
  return table(
    [{ title: "Package" }, { title: "Version" }, { title: "Declared" }, { title: "Text" }, { title: "Why" }],
    packages.map(({ name, version, declared, detected, verdict }) => [
      name,
      version,
      declared ?? "-",
      detected.join(", ") || "-",
      verdictText(verdict),
    ]),
  );
}

function duplicates(found: readonly Duplicate[], extraBytes: number): string {
  if (found.length === 0) return "None.";
  const rows = found.map((each) => [each.name, versionsText(each), bytesText(each.extraBytes)]);
  const columns = [{ title: "Package" }, { title: "Versions" }, { title: "Could be saved", right: true }];
  return `${bytesText(extraBytes)} could be saved in all.\n\n${table(columns, rows)}`;
}

/** `1.0.0, 2.0.0 (2 copies)`. */
export function versionsText({ versions }: Duplicate): string {
  return versions
    .map(({ version, packages }) =>
      packages.length === 1 ? version : `${version} (${packages.length} copies)`,
    )
    .join(", ");
}

function largest(packages: readonly AuditedPackage[]): string {
  return table(
    [{ title: "Package" }, { title: "Version" }, { title: "Size", right: true }, { title: "Largest file" }],
    largestOf(packages).map(({ name, version, bytes, largest: file }) => [
      name,
      version,
      bytesText(bytes),
      file === null ? "-" : `${file.path} (${bytesText(file.bytes)})`,
    ]),
  );
}

export function largestOf(packages: readonly AuditedPackage[]): AuditedPackage[] {
  return packages.toSorted((a, b) => b.bytes - a.bytes).slice(0, LARGEST_MAX);
}

function all(packages: readonly AuditedPackage[]): string {
  return table(
    [
      { title: "Package" },
      { title: "Version" },
      { title: "Licence" },
      { title: "Files", right: true },
      { title: "Size", right: true },
      { title: "SHA-256" },
    ],
    packages.map(({ name, version, licence, files, bytes, sha256 }) => [
      name,
      version,
      licence,
      countText(files),
      bytesText(bytes),
      sha256,
    ]),
  );
}

function table(columns: readonly Column[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(" | ")} |`;
  return [
    line(columns.map(({ title }) => title)),
    line(columns.map(({ right }) => (right === true ? "---:" : "---"))),
    ...rows.map((row) => line(row.map(text))),
  ].join("\n");
}

/** As it is, on one line: what would be Markdown or HTML in the middle of a line is not. */
function text(value: string): string {
  return value.replace(/\s+/g, " ").replace(/[\\`*_[\]<>|~&]/g, "\\$&");
}
