/** One record of the log as a person can read it: everything but the bytes of values, which are counted. */
import { decodeRecord, type LogKind, type Subjects } from "@weft/protocol";
import type { Connection } from "@weft/transport";
import type { NamespaceConfig } from "./namespace.ts";
import { skippedIn } from "./skipped-records.ts";

export type LogRecordView = {
  readonly seq: number;
  readonly at: string;
  readonly kind: LogKind | null;
  /** Null for control records, whose subject is a secret. */
  readonly sender: string | null;
  readonly bytes: number;
  /** Whether folds pass over it because an operator said so. */
  readonly skipped: boolean;
  /** Why its bytes are no record; null where they are one. */
  readonly void: string | null;
  readonly record: unknown;
};

/** Null where the log has no such record. */
export async function viewRecord(
  connection: Connection,
  config: NamespaceConfig,
  { subjects, seq }: { readonly subjects: Subjects; readonly seq: number },
): Promise<LogRecordView | null> {
  const stream = connection.stream(config.stream);
  const { metadata } = await stream.info();
  const found = await stream.message(seq);
  if (found === null) return null;
  const subject = subjects.parseLog(0, found.subject);
  const read = subject === null ? null : decodeRecord(subject.kind, found.data);
  return {
    seq,
    at: new Date(found.stampMs).toISOString(),
    kind: subject?.kind ?? null,
    sender: subject !== null && "sender" in subject ? subject.sender : null,
    bytes: found.data.length,
    skipped: skippedIn(metadata).has(seq),
    void: read === null ? "a subject that is none of ours" : read.ok ? null : read.kind,
    record: read?.ok === true ? readable(read.value) : null,
  };
}

/** Records are checked to be flat before they are decoded. */
function readable(value: unknown): unknown {
  if (value instanceof Uint8Array) return `${value.length} bytes`;
  if (Array.isArray(value)) return value.map(readable);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, readable(each)]));
}
