/**
 * Writes a checkpoint from a fold of its own: from the newest one that there is, and the records behind it. So nobody who
 * leads or stands by has to stand still for it, and what is written was folded twice. It knows nothing of threads.
 */
import type { Subjects } from "@weft/protocol";
import type { Connection } from "@weft/transport";
import { encodeLedger, STATE_FORMAT } from "../core/codec/ledger-codec.ts";
import { CheckpointStore } from "./checkpoint-store.ts";
import { LogFold } from "./log-fold.ts";
import { LogReader } from "./log-reader.ts";
import type { NamespaceConfig } from "./namespace.ts";
import { findStart } from "./start-point.ts";

export type CheckpointJob = {
  readonly connection: Connection;
  readonly config: NamespaceConfig;
  readonly subjects: Subjects;
  /** The checkpoint must have this record. */
  readonly seq: number;
  readonly log: (line: string) => void;
};

/** Makes sure that there is a checkpoint with this record. One that somebody else has written meanwhile is as good. */
export async function writeCheckpoint({
  connection,
  config,
  subjects,
  seq,
  log,
}: CheckpointJob): Promise<void> {
  const { ledger, point, skipped } = await findStart({ connection, config, subjects, log });
  if (point.seq >= seq) return;
  const fold = new LogFold({ ledger, subjects, skipped, onVoid: () => undefined });
  const folded = Promise.withResolvers<void>();
  const reader = new LogReader({
    connection,
    stream: connection.stream(config.stream),
    onRecord: (record) => {
      try {
        fold.apply(record);
      } catch (error) {
        reader.close();
        folded.reject(error as Error);
      }
    },
    onCaughtUp: () => {
      if (reader.seq >= seq) folded.resolve();
    },
    onFailed: folded.reject,
  });
  try {
    // Both at once: a record may fail while the reader is being started.
    await Promise.all([reader.start(point), folded.promise]);
  } finally {
    reader.close();
  }
  const store = new CheckpointStore({ connection, subjects, secret: config.secret });
  await store.write({
    point: reader.point,
    foldVersion: ledger.foldVersion,
    format: STATE_FORMAT,
    chunks: encodeLedger(ledger),
  });
}
