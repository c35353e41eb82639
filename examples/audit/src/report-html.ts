/** An audit as one page that needs nothing else: no script, style, font or image from elsewhere. */
import { type Audit, type AuditedPackage, toLookAt, totalsOf, verdictText } from "./audit.ts";
import { type Html, html } from "./html.ts";
import { bytesText, countText } from "./quantity.ts";
import { PAGE_SCRIPT, PAGE_STYLE } from "./report-assets.ts";
import { largestOf, versionsText } from "./report-markdown.ts";

/** A cell is sorted by its number where it has one. */
type Cell = { readonly text: string; readonly sortBy?: number };
type Column = { readonly title: string; readonly isNumber?: boolean };

export function htmlReportOf(audit: Audit): string {
  const totals = totalsOf(audit);
  const cards: readonly (readonly [string, string])[] = [
    ["packages", countText(totals.packages)],
    ["files", countText(totals.files)],
    ["size", bytesText(totals.bytes)],
    ["licences", countText(totals.licences)],
    ["licences to look at", countText(totals.toLookAt)],
    ["in several versions", countText(totals.severalVersions)],
    ["could be saved", bytesText(totals.extraBytes)],
  ];
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Audit of installed packages</title>
<style>${PAGE_STYLE}</style>
</head>
<body>
<header>
<h1>Audit of installed packages</h1>
<p>${audit.folder}, ${audit.takenAt}</p>
<ul class="cards">${cards.map(([name, value]) => html`<li><b>${value}</b> ${name}</li>`)}</ul>
</header>
<main>
${section("Licences", licences(audit))}
${section("Licences to look at", doubts(toLookAt(audit)))}
${section("Installed more than once", duplicates(audit))}
${section("The largest", packageTable(largestOf(audit.packages)))}
${section("All packages", packageTable(audit.packages))}
</main>
<script>${PAGE_SCRIPT}</script>
</body>
</html>
`.text;
}

function section(title: string, content: Html): Html {
  return html`<section><h2>${title}</h2>${content}</section>`;
}

function licences({ licences: groups }: Audit): Html {
  return table(
    [{ title: "Licence" }, { title: "Packages", isNumber: true }, { title: "Size", isNumber: true }],
    groups.map(({ licence, packages, bytes }) => [{ text: licence }, count(packages.length), size(bytes)]),
  );
}

function doubts(packages: readonly AuditedPackage[]): Html {
  return table(
    [{ title: "Package" }, { title: "Version" }, { title: "Declared" }, { title: "Text" }, { title: "Why" }],
    packages.map(({ name, version, declared, detected, verdict }) => [
      { text: name },
      { text: version },
      { text: declared ?? "-" },
      { text: detected.join(", ") || "-" },
      { text: verdictText(verdict) },
    ]),
  );
}

function duplicates({ duplicates: found }: Audit): Html {
  return table(
    [{ title: "Package" }, { title: "Versions" }, { title: "Could be saved", isNumber: true }],
    found.map((each) => [{ text: each.name }, { text: versionsText(each) }, size(each.extraBytes)]),
  );
}

function packageTable(packages: readonly AuditedPackage[]): Html {
  return table(
    [
      { title: "Package" },
      { title: "Version" },
      { title: "Licence" },
      { title: "Files", isNumber: true },
      { title: "Size", isNumber: true },
      { title: "SHA-256" },
    ],
    packages.map(({ name, version, licence, files, bytes, sha256 }) => [
      { text: name },
      { text: version },
      { text: licence },
      count(files),
      size(bytes),
      { text: sha256 },
    ]),
  );
}

function count(value: number): Cell {
  return { text: countText(value), sortBy: value };
}

function size(bytes: number): Cell {
  return { text: bytesText(bytes), sortBy: bytes };
}

function table(columns: readonly Column[], rows: readonly (readonly Cell[])[]): Html {
  if (rows.length === 0) return html`<p>None.</p>`;
  const head = columns.map(({ title, isNumber }) =>
    isNumber === true
      ? html`<th class="number"><button>${title}</button></th>`
      : html`<th><button>${title}</button></th>`,
  );
  const body = rows.map((row) => html`<tr>${row.map(cell)}</tr>\n`);
  return html`<div class="table"><table><thead><tr>${head}</tr></thead><tbody>\n${body}</tbody></table></div>`;
}

function cell({ text, sortBy }: Cell): Html {
  return sortBy === undefined
    ? html`<td>${text}</td>`
    : html`<td class="number" data-sort="${sortBy}">${text}</td>`;
}
