/** Records that every fold passes over, because no fold could get past them: kept in the metadata of the log's stream. */
const KEY = "weft.skipped";

export function skippedIn(metadata: Readonly<Record<string, string>>): ReadonlySet<number> {
  const text = metadata[KEY] ?? "";
  return new Set(text === "" ? [] : text.split(",").map(Number));
}
