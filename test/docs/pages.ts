/** The pages of the documentation, and what is in them. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

export const repository: string = fileURLToPath(new URL("../../", import.meta.url));

export type Page = { readonly path: string; readonly text: string };
export type Block = { readonly language: string; readonly text: string };

const TOP = ["README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "CHANGELOG.md", "bench/README.md"];

export function pages(): readonly Page[] {
  const below = readdirSync(join(repository, "docs"), { recursive: true, encoding: "utf8" })
    .filter((path) => path.endsWith(".md"))
    .map((path) => `docs/${path.replaceAll("\\", "/")}`);
  return [...TOP, ...below.toSorted()].map((path) => ({ path, text: textOf(path) }));
}

export function textOf(path: string): string {
  return readFileSync(join(repository, path), "utf8");
}

export function blocksOf({ text }: Page): readonly Block[] {
  return [...text.matchAll(/^```(\w+)\n(.*?)^```$/gms)].map(([, language = "", content = ""]) => ({
    language,
    text: content,
  }));
}

/** The cells of all table rows of a page, without the heads and the lines below them. */
export function rowsOf({ text }: Page): readonly (readonly string[])[] {
  return text
    .split("\n")
    .filter((line) => line.startsWith("|") && !/^\|[-|: ]+\|$/.test(line))
    .map((line) =>
      line
        .slice(1, -1)
        .split("|")
        .map((cell) => cell.trim()),
    );
}

/** What stands between the first pair of backticks. */
export function codeIn(cell: string | undefined): string | null {
  return /`([^`]+)`/.exec(cell ?? "")?.[1] ?? null;
}

export function page(path: string): Page {
  return { path, text: textOf(path) };
}
