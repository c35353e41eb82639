/** What the code of an attempt is given. Completes the values of its assignment: those that did not fit into it are asked for, and large ones are read. */
import {
  ASK_IDS_MAX,
  type Assignment,
  DefectError,
  isBlobRef,
  type Subjects,
  type TaskId,
} from "@weft/protocol";
import { ask, type Connection } from "@weft/transport";
import type { LargeValues } from "./large-values.ts";
import type { AttemptInput } from "./run-attempt.ts";

export type ValueSource = {
  readonly connection: Connection;
  readonly subjects: Subjects;
  readonly large: LargeValues;
  /** Whether the attempt is still to be run. */
  readonly isWanted: () => boolean;
};

const PAGE_IDS_MAX = Math.min(1_000, ASK_IDS_MAX);
const PAGE_TIMEOUT_MS = 30_000;

const NO_VALUES: readonly (Uint8Array | null)[] = Object.freeze([]);

/** How much of memory an assignment takes. */
export function bytesOf({ args, deps }: Assignment): number {
  if (deps === null) return args.length;
  let bytes = args.length;
  for (const value of deps.values) bytes += value?.length ?? 0;
  return bytes;
}

/** With the values that are inside the assignment; null where some are not. */
export function inputInside({ id, name, attempt, args, deps }: Assignment): AttemptInput | null {
  const values = deps?.values ?? NO_VALUES;
  if (isBlobRef(args) || (values.length > 0 && values.some(isElsewhere))) return null;
  return { id, name, attempt, args, deps: values };
}

const isElsewhere = (value: Uint8Array | null): boolean => value === null || isBlobRef(value);

export async function inputOf(assignment: Assignment, source: ValueSource): Promise<AttemptInput> {
  const { large, isWanted } = source;
  const { id, name, attempt } = assignment;
  const args = isBlobRef(assignment.args) ? await large.read(assignment.args, isWanted) : assignment.args;
  const deps = [...(await dependencyValues(assignment, source))];
  for (const [place, value] of deps.entries())
    if (value !== null && isBlobRef(value)) deps[place] = await large.read(value, isWanted);
  return { id, name, attempt, args, deps };
}

async function dependencyValues(
  assignment: Assignment,
  { connection, subjects }: ValueSource,
): Promise<readonly (Uint8Array | null)[]> {
  const { deps } = assignment;
  if (deps === null) return NO_VALUES;
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
