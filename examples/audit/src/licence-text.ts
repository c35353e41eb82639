/**
 * Tells which licences a text contains, by its wording.
 *
 * Each known licence has a fingerprint: the set of all runs of three words in its text, or for a long one in a passage
 * that no other licence has. Case, punctuation and line breaks do not count. A licence is in a text if nearly all of its
 * fingerprint is. Some licences are others with a sentence more or less: the one that explains the most, best, is taken,
 * and what it has explained is no evidence for another.
 */
import { readdirSync, readFileSync } from "node:fs";

export type LicenceMatch = {
  /** As in the SPDX list, less `-only` and `-or-later`, which a licence's text does not tell. */
  readonly id: string;
  /** How much of the fingerprint the text has, from 0 to 1. */
  readonly similarity: number;
};

export type Fingerprint = { readonly id: string; readonly runs: ReadonlySet<string> };

const FOLDER = new URL("../licences/", import.meta.url);
const SIMILARITY_MIN = 0.8;
/** How much of a fingerprint must be evidence that no better match has used already. */
const UNEXPLAINED_MIN = 0.4;
const WORDS_PER_RUN = 3;

let known: readonly Fingerprint[] | null = null;

/** `licences/ID.txt`, or `licences/ID_VARIANT.txt` for a licence that is also given in another wording. */
function knownFingerprints(): readonly Fingerprint[] {
  known ??= readdirSync(FOLDER)
    .sort()
    .map((file) => ({
      id: file.replace(/(?:_.*)?\.txt$/, ""),
      runs: new Set(runsOf(readFileSync(new URL(file, FOLDER), "utf8"))),
    }));
  return known;
}

/** The licences in a text, in the order in which they begin. */
export function licencesIn(
  text: string,
  fingerprints: readonly Fingerprint[] = knownFingerprints(),
): LicenceMatch[] {
  const places = new Map<string, number>();
  for (const [index, run] of runsOf(text).entries()) if (!places.has(run)) places.set(run, index);
  const candidates = fingerprints
    .map((fingerprint) => candidateOf(fingerprint, places))
    .filter(({ similarity }) => similarity >= SIMILARITY_MIN)
    .sort((a, b) => b.matched.length * b.similarity - a.matched.length * a.similarity);
  const explained = new Set<string>();
  const found: (LicenceMatch & { readonly place: number })[] = [];
  for (const { id, size, similarity, matched } of candidates) {
    const fresh = matched.filter((run) => !explained.has(run));
    if (fresh.length < UNEXPLAINED_MIN * size || found.some((match) => match.id === id)) continue;
    const place = Math.min(...fresh.map((run) => places.get(run) ?? 0));
    found.push({ id, similarity, place });
    for (const run of matched) explained.add(run);
  }
  return found.sort((a, b) => a.place - b.place).map(({ id, similarity }) => ({ id, similarity }));
}

type Candidate = {
  readonly id: string;
  readonly size: number;
  readonly similarity: number;
  readonly matched: readonly string[];
};

function candidateOf({ id, runs }: Fingerprint, places: ReadonlyMap<string, number>): Candidate {
  const matched = [...runs].filter((run) => places.has(run));
  return { id, size: runs.size, similarity: matched.length / runs.size, matched };
}

function runsOf(text: string): string[] {
  const words = text.toLowerCase().match(/[\p{L}\p{N}]+/gu) ?? [];
  const runs = [];
  for (let at = 0; at + WORDS_PER_RUN <= words.length; at++)
    runs.push(words.slice(at, at + WORDS_PER_RUN).join(" "));
  return runs;
}
