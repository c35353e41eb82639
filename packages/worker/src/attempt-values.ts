/** Completes the values of an assignment: those that did not fit into it are asked for, and large ones are read. */
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

export type AttemptValues = {
  readonly args: Uint8Array;
  readonly deps: readonly (Uint8Array | null)[];
};

export type ValueSource = {
  readonly connection: Connection;
  readonly subjects: Subjects;
  readonly large: LargeValues;
  /** Whether the attempt is still to be run. */
  readonly isWanted: () => boolean;
};

const PAGE_IDS_MAX = Math.min(1_000, ASK_IDS_MAX);
const PAGE_TIMEOUT_MS = 30_000;

/** How much of memory an assignment takes. */
export function bytesOf({ args, deps }: Assignment): number {
  let bytes = args.length;
  for (const value of deps?.values ?? []) bytes += value?.length ?? 0;
  return bytes;
}

/** Those that are inside the assignment; null where some are not. */
export function valuesInside({ args, deps }: Assignment): AttemptValues | null {
  const given = deps?.values ?? [];
  const isComplete = !isBlobRef(args) && !given.some((value) => value === null || isBlobRef(value));
  return isComplete ? { args, deps: given } : null;
}

export async function valuesOf(assignment: Assignment, source: ValueSource): Promise<AttemptValues> {
  const { large, isWanted } = source;
  const args = isBlobRef(assignment.args) ? await large.read(assignment.args, isWanted) : assignment.args;
  const deps = [...(await dependencyValues(assignment, source))];
  for (const [place, value] of deps.entries())
    if (value !== null && isBlobRef(value)) deps[place] = await large.read(value, isWanted);
  return { args, deps };
}

async function dependencyValues(
  assignment: Assignment,
  { connection, subjects }: ValueSource,
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
