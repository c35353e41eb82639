/** What a package's licence is, by its text and by its package.json, and whether the two agree. */
import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { idsIn, tidied } from "./licence-expression.ts";
import { type LicenceMatch, licencesIn } from "./licence-text.ts";
import type { PackageFacts } from "./package-facts.ts";

/**
 * - `agrees`: the text is of a licence that the package names
 * - `differs`: the text is of another one
 * - `undeclared`: there is a text, and no name
 * - `no-text`: there is a name, and no text
 * - `unrecognised`: there is a text that is none of the known ones
 * - `nothing`: neither
 */
export type Verdict = "agrees" | "differs" | "undeclared" | "no-text" | "unrecognised" | "nothing";

export type LicenceFinding = PackageFacts & {
  readonly verdict: Verdict;
  /** What to count the package under. */
  readonly licence: string;
  /** The licences in its texts: first those that a file begins with, then what else is in them. */
  readonly detected: readonly string[];
  /** The files with its licence texts. */
  readonly licenceFiles: readonly string[];
};

export type LicenceText = { readonly file: string; readonly text: string };

const UNKNOWN_LICENCE = "unknown";

const LICENCE_FILE = /^(?:[a-z]+-)?(?:un)?(?:licen[cs]e|copying)(?:[-._].*)?$/i;
const NOT_A_TEXT = /\.(?:[cm]?[jt]sx?|json|map|html?|css)$/i;
const FILES_MAX = 8;
const FILE_BYTES_MAX = 512 * 1024;
const DETECTED_MAX = 8;

export function licenceFilesIn(folder: string): LicenceText[] {
  return readdirSync(folder, { withFileTypes: true })
    .filter((entry) => entry.isFile() && LICENCE_FILE.test(entry.name) && !NOT_A_TEXT.test(entry.name))
    .map(({ name }) => name)
    .filter((file) => statSync(join(folder, file)).size <= FILE_BYTES_MAX)
    .sort()
    .slice(0, FILES_MAX)
    .map((file) => ({ file, text: readFileSync(join(folder, file), "utf8") }));
}

export function licenceFindingOf(
  facts: PackageFacts,
  texts: readonly LicenceText[],
  onProgress: (fraction: number) => void = () => undefined,
): LicenceFinding {
  const matches = texts.map(({ text }, index) => {
    const found = licencesIn(text);
    onProgress((index + 1) / texts.length);
    return found;
  });
  const primary = matches.flatMap(([first]) => first ?? []).map(idOf);
  const others = matches.flatMap(([, ...rest]) => rest).map(idOf);
  const verdict = verdictOf(facts.declared, texts.length > 0, primary);
  const byText = [...new Set(primary)].join(" AND ");
  const declared = facts.declared === null ? UNKNOWN_LICENCE : tidied(facts.declared);
  return {
    ...facts,
    verdict,
    licence: verdict === "differs" || verdict === "undeclared" ? byText : declared,
    detected: [...new Set([...primary, ...others])].slice(0, DETECTED_MAX),
    licenceFiles: texts.map(({ file }) => file),
  };
}

function verdictOf(declared: string | null, hasText: boolean, primary: readonly string[]): Verdict {
  const ids = declared === null ? [] : idsIn(declared);
  if (!hasText) return ids.length === 0 ? "nothing" : "no-text";
  if (primary.length === 0) return "unrecognised";
  if (ids.length === 0) return "undeclared";
  return primary.some((id) => ids.includes(id)) ? "agrees" : "differs";
}

function idOf(match: LicenceMatch): string {
  return match.id;
}
