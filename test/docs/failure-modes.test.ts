/** Each row of the page on failures names tests, and these exist. */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { repository, textOf } from "./pages.ts";

const rows = textOf("docs/failure-modes.md")
  .split("\n")
  .filter((line) => line.startsWith("| ") && !line.startsWith("| fault "))
  .map((line) => line.slice(2, -2).split(" | "));

/** `[name](../path): "title", "title"; …`: the titles, each with the file that it is said to be in. */
function testsOf(cell: string): { readonly path: string; readonly title: string }[] {
  return cell.split("; [").flatMap((part) => {
    const path = /\]\(\.\.\/([^)]+)\): /.exec(part)?.[1] ?? "";
    return [...part.matchAll(/"([^"]+)"/g)].map(([, title = ""]) => ({ path, title }));
  });
}

describe("the page on failures", () => {
  test("has rows of five cells", () => {
    expect(rows.length).toBeGreaterThan(20);
    for (const row of rows) expect(row, row[0]).toHaveLength(5);
  });

  test.each(rows.map((row) => ({ fault: row[0] ?? "", shownBy: row[4] ?? "" })))(
    "names tests that there are: $fault",
    ({ shownBy }) => {
      const named = testsOf(shownBy);
      expect(named).not.toEqual([]);
      for (const { path, title } of named) {
        expect(existsSync(join(repository, path)), path).toBe(true);
        expect(readFileSync(join(repository, path), "utf8")).toContain(`"${title}"`);
      }
    },
  );
});
