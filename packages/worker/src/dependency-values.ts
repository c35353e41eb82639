/** Completes the dependency values of an assignment: those that did not fit into it are asked for, page by page. */
import { ASK_IDS_MAX, type Assignment, DefectError, type Subjects, type TaskId } from "@weft/protocol";
import { ask, type Connection } from "@weft/transport";

const PAGE_IDS_MAX = Math.min(1_000, ASK_IDS_MAX);
const PAGE_TIMEOUT_MS = 30_000;

export async function dependencyValues(
  assignment: Assignment,
  connection: Connection,
  subjects: Subjects,
): Promise<readonly (Uint8Array | null)[]> {
  const { deps } = assignment;
  if (deps === null) return [];
  const values = [...deps.values];
  const missing: number[] = [];
  for (let i = 0; i < values.length; i++) if (values[i] === null) missing.push(i);
  for (let from = 0; from < missing.length; ) {
    const places = missing.slice(from, from + PAGE_IDS_MAX);
    const ids = places.map((place) => deps.ids[place]).filter((id): id is TaskId => id !== undefined);
    const { values: page } = await ask(
      connection,
      subjects,
      { type: "values", ids },
      { timeoutMs: PAGE_TIMEOUT_MS },
    );
    if (page.length === 0) throw new DefectError("a page of dependency values came back empty");
    for (const [i, value] of page.entries()) {
      const place = places[i];
      // No value is not `undefined`, which a task may well have returned: it must not look like it.
      if (value === null) throw new DefectError(`dependency ${ids[i]} succeeded and has no value`);
      if (place !== undefined) values[place] = value;
    }
    from += page.length;
  }
  return values;
}
