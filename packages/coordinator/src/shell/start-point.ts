/**
 * Where a fold begins: at the newest checkpoint that is whole, that this code can read and that agrees with the log, else
 * at the log's first record. Where neither gives the state, it says so and nothing is folded.
 */
import { LogTruncatedError, type Subjects } from "@weft/protocol";
import { apiCode, type Connection, pause } from "@weft/transport";
import { Ledger } from "../core/ledger/index.ts";
import type { CheckpointManifest } from "./checkpoint-manifest.ts";
import { CheckpointStore } from "./checkpoint-store.ts";
import { isAway } from "./jetstream-away.ts";
import { decodeLedger, isReadable } from "./ledger-state.ts";
import { LOG_BEGINNING, type LogPoint, standingOf } from "./log-point.ts";
import type { NamespaceConfig } from "./namespace.ts";
import { skippedIn } from "./skipped-records.ts";

export type StartPoint = {
  readonly ledger: Ledger;
  /** The last record that is in the ledger. */
  readonly point: LogPoint;
  /** Records that the operator has had passed over. */
  readonly skipped: ReadonlySet<number>;
  /** Null where the log is folded from its first record. */
  readonly checkpoint: CheckpointManifest | null;
};

export type StartPointOptions = {
  readonly connection: Connection;
  readonly config: NamespaceConfig;
  readonly subjects: Subjects;
  readonly log: (line: string) => void;
};

/** In the metadata of the log's stream: the first record that counts, where what was before it is given up. */
export const BEGINNING_KEY = "weft.begins";

const STREAM_NOT_FOUND = 10059;
const RETRY_MS = 200;
/** For what may pass, and is none of the reasons for which a log is away. */
const GIVE_UP_MS = 30_000;

/**
 * Waits for a log that is away, however long that takes: servers come and go. Throws `LogTruncatedError` where nothing agrees
 * with what the stream still has.
 */
export async function findStart(options: StartPointOptions): Promise<StartPoint> {
  const { connection, log } = options;
  const { clock, nats } = connection;
  const deadlineMs = clock.nowMs() + GIVE_UP_MS;
  let isTold = false;
  for (;;) {
    try {
      return await find(options);
    } catch (error) {
      const mayPass = isAway(error) || clock.nowMs() <= deadlineMs;
      if (error instanceof LogTruncatedError || nats.isClosed() || !mayPass) throw error;
      if (!isTold) log(`the log does not answer, and is waited for: ${String(error)}`);
      isTold = true;
      await pause(clock, RETRY_MS);
    }
  }
}

async function find({ connection, config, subjects, log }: StartPointOptions): Promise<StartPoint> {
  const stream = connection.stream(config.stream);
  const { metadata } = await stream.info();
  const skipped = skippedIn(metadata);
  const ledgerConfig = { partition: 0, secret: config.secret };
  const store = new CheckpointStore({ connection, subjects, secret: config.secret });
  const checkpoints = await listed(store);
  for (const checkpoint of checkpoints) {
    const { point } = checkpoint;
    const passOver = (why: string): void =>
      log(`the checkpoint at record ${point.seq} is passed over: ${why}`);
    const standing = await standingOf(stream, point);
    if (standing !== "agrees") passOver(DISAGREEMENTS[standing]);
    else if (!isReadable(checkpoint)) passOver("another version wrote it");
    else {
      const ledger = await decodeLedger(ledgerConfig, store.read(checkpoint)).catch(onDamage(passOver));
      if (ledger !== null) return { ledger, point, skipped, checkpoint };
    }
  }
  const { firstSeq, lastSeq } = await stream.info();
  const begins = Number(metadata[BEGINNING_KEY] ?? 0);
  if (begins > 0 && firstSeq <= begins) {
    const point = { seq: begins - 1, digest: null };
    return { ledger: new Ledger(ledgerConfig), point, skipped, checkpoint: null };
  }
  if (firstSeq > 1) {
    const found = checkpoints.length === 0 ? "there is no checkpoint" : "no checkpoint agrees with it";
    throw new LogTruncatedError(config.stream, `it begins at record ${firstSeq}, and ${found}`);
  }
  const [newest] = checkpoints;
  if (lastSeq === 0 && newest !== undefined)
    throw new LogTruncatedError(config.stream, `it is empty, and once had ${newest.point.seq} records`);
  return { ledger: new Ledger(ledgerConfig), point: LOG_BEGINNING, skipped, checkpoint: null };
}

const DISAGREEMENTS = {
  purged: "the log lacks records behind it",
  differs: "the log lost that record, or has another one there",
} as const;

/** A connection that fails is no damage: everything is tried again. */
function onDamage(passOver: (why: string) => void): (error: unknown) => null {
  return (error) => {
    const code = error instanceof Error && "code" in error ? error.code : undefined;
    if (code !== "weft_checkpoint_damaged" && code !== "weft_malformed") throw error;
    passOver((error as Error).message);
    return null;
  };
}

/** A namespace of an older version has no stream for them. */
async function listed(store: CheckpointStore): Promise<CheckpointManifest[]> {
  try {
    return await store.list();
  } catch (error) {
    if (apiCode(error) === STREAM_NOT_FOUND) return [];
    throw error;
  }
}
