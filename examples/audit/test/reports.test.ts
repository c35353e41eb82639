import { parse } from "parse5";
import { beforeAll, describe, expect, test } from "vitest";
import { type Audit, auditOf } from "../src/audit.ts";
import { htmlReportOf } from "../src/report-html.ts";
import { markdownReportOf } from "../src/report-markdown.ts";

const NASTY = `<img src="https://example.com/x" onerror='alert("&")'>|\`*_[a](b)`;
let audit: Audit;

beforeAll(() => {
  const finding = {
    name: NASTY,
    version: "1.0.0",
    declared: NASTY,
    verdict: "differs" as const,
    licence: NASTY,
    detected: ["MIT"],
    licenceFiles: ["LICENSE"],
  };
  const size = { files: 1, bytes: 1_500, largest: { path: NASTY, bytes: 1_500 } };
  audit = auditOf({
    folder: `/tmp/${NASTY}`,
    takenAt: "2026-01-02T03:04:05.000Z",
    licences: [{ licence: NASTY, bytes: 3_000, packages: [0, 1] }],
    duplicates: [
      {
        name: NASTY,
        versions: [{ version: "1.0.0", packages: [0, 1], bytes: 3_000, identical: true }],
        extraBytes: 1_500,
      },
    ],
    findings: [finding, finding],
    digests: [
      { sha256: "ab", files: 1 },
      { sha256: "ab", files: 1 },
    ],
    sizes: [size, size],
  });
});

type Node = {
  readonly nodeName: string;
  readonly attrs?: readonly { readonly name: string; readonly value: string }[];
  readonly childNodes?: readonly Node[];
  readonly value?: string;
};

function* nodesOf(node: Node): Iterable<Node> {
  yield node;
  for (const child of node.childNodes ?? []) yield* nodesOf(child);
}

const textOf = (node: Node): string => (node.value ?? "") + (node.childNodes ?? []).map(textOf).join("");

describe("the page", () => {
  test("shows what packages say of themselves as text, whatever it is", () => {
    const nodes = [...nodesOf(parse(htmlReportOf(audit)) as Node)];
    expect(nodes.filter(({ nodeName }) => nodeName === "img")).toEqual([]);
    const cells = nodes.filter(({ nodeName }) => nodeName === "td").map(textOf);
    expect(cells).toContain(NASTY);
    expect(cells).toContain("1.0.0 (2 copies)");
    expect(cells).toContain("1.5 KB");
  });

  test("needs nothing from elsewhere", () => {
    const page = htmlReportOf(audit);
    const outside = ["src", "href", "srcset", "action", "data"];
    for (const { nodeName, attrs } of nodesOf(parse(page) as Node)) {
      expect(["link", "iframe", "object", "embed", "base"]).not.toContain(nodeName);
      expect((attrs ?? []).filter(({ name }) => outside.includes(name))).toEqual([]);
    }
    // A browser that shows it would not even be allowed to load anything.
    expect(page).toContain("default-src 'none'");
    expect(page).not.toMatch(/@import|url\(|\bimport\b|fetch\(/);
  });

  test("is well formed", () => {
    const errors: string[] = [];
    parse(htmlReportOf(audit), { onParseError: ({ code }) => errors.push(code) });
    expect(errors).toEqual([]);
  });
});

describe("the document", () => {
  test("has the same number of cells in each row of a table", () => {
    const rows = markdownReportOf(audit)
      .split("\n")
      .filter((line) => line.startsWith("|"));
    const cells = rows.map((line) => line.split(/(?<!\\)\|/).length);
    expect(rows.length).toBeGreaterThan(10);
    const tables = markdownReportOf(audit)
      .split("\n\n")
      .filter((part) => part.startsWith("|"));
    for (const table of tables) {
      expect(
        new Set(
          table
            .trimEnd()
            .split("\n")
            .map((line) => line.split(/(?<!\\)\|/).length),
        ).size,
      ).toBe(1);
    }
    expect(cells.every((count) => count > 3)).toBe(true);
  });

  test("escapes what would be Markdown or HTML", () => {
    expect(markdownReportOf(audit)).not.toMatch(/[^\\]<img|[^\\]\[a\]/);
  });
});

test("packages that changed while they were audited make no report", () => {
  const parts = { ...audit, findings: audit.packages, sizes: audit.packages };
  const digests = audit.packages.map(() => ({ sha256: "ab", files: 2 }));
  expect(() => auditOf({ ...parts, digests })).toThrow("changed while it was audited");
});
