/** Records that every fold passes over, because no fold could get past them: kept in the metadata of the log's stream. */
import { type Subjects, UsageError } from "@weft/protocol";
import type { Connection } from "@weft/transport";
import { CheckpointStore } from "./checkpoint-store.ts";
import type { NamespaceConfig } from "./namespace.ts";

const KEY = "weft.skipped";
/** Each is a defect that a person has looked at: where there are more, something else is wrong. */
const SKIPPED_MAX = 100;

export function skippedIn(metadata: Readonly<Record<string, string>>): ReadonlySet<number> {
  const text = metadata[KEY] ?? "";
  return new Set(text === "" ? [] : text.split(",").map(Number));
}

/**
 * From now on every fold passes over the record. Coordinators read it when they start. Throws `UsageError` for a record that
 * is in a checkpoint: somebody has folded it, and folds that pass over it would come to another state.
 */
export async function skipRecord(
  connection: Connection,
  config: NamespaceConfig,
  { subjects, seq }: { readonly subjects: Subjects; readonly seq: number },
): Promise<void> {
  const stream = connection.stream(config.stream);
  const store = new CheckpointStore({ connection, subjects, secret: config.secret });
  const [newest] = await store.list();
  if (newest !== undefined && newest.point.seq >= seq)
    throw new UsageError(
      `record ${seq} cannot be passed over: the checkpoint at record ${newest.point.seq} was made with it`,
    );
  const { metadata } = await stream.info();
  const skipped = new Set([...skippedIn(metadata), seq]);
  if (skipped.size > SKIPPED_MAX)
    throw new UsageError(`${SKIPPED_MAX} records are passed over already: something else is wrong`);
  await stream.configure({ metadata: { [KEY]: [...skipped].sort((a, b) => a - b).join() } });
}
