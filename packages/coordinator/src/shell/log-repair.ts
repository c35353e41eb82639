/** Tells what a coordinator would start from, and accepts a log that is not whole where the operator says so. */
import { LogTruncatedError, type Subjects } from "@weft/protocol";
import type { Connection } from "@weft/transport";
import type { NamespaceConfig } from "./namespace.ts";
import { BEGINNING_KEY, findStart } from "./start-point.ts";

export type LogExamination = {
  readonly firstSeq: number;
  readonly lastSeq: number;
  /** The checkpoint that a coordinator starts from; null for the log's first record, or where it cannot start. */
  readonly checkpointSeq: number | null;
  /** Why no coordinator can start; null where one can. */
  readonly trouble: string | null;
  /** Checkpoints that are passed over, and why. */
  readonly remarks: readonly string[];
};

type Place = {
  readonly connection: Connection;
  readonly config: NamespaceConfig;
  readonly subjects: Subjects;
};

const REPAIRS_KEY = "weft.repairs";
/** The last of them are kept. */
const REPAIRS_MAX = 10;

export async function examineLog({ connection, config, subjects }: Place): Promise<LogExamination> {
  const { firstSeq, lastSeq } = await connection.stream(config.stream).info();
  const remarks: string[] = [];
  const log = (line: string): void => void remarks.push(line);
  try {
    const { checkpoint } = await findStart({ connection, config, subjects, log });
    return { firstSeq, lastSeq, checkpointSeq: checkpoint?.point.seq ?? null, trouble: null, remarks };
  } catch (error) {
    if (!(error instanceof LogTruncatedError)) throw error;
    return { firstSeq, lastSeq, checkpointSeq: null, trouble: error.message, remarks };
  }
}

/**
 * From now on coordinators fold the log from the first record that it has, knowing nothing of what was before: tasks that
 * were submitted there are unknown. Written down in the metadata of the log's stream.
 */
export async function acceptLog(
  { connection, config }: Place,
  examination: LogExamination,
): Promise<{ readonly begins: number }> {
  const stream = connection.stream(config.stream);
  const { metadata } = await stream.info();
  const { lastSeq, firstSeq, trouble, remarks } = examination;
  const begins = Math.max(1, firstSeq);
  const repairs = JSON.parse(metadata[REPAIRS_KEY] ?? "[]") as unknown[];
  const at = new Date(connection.clock.wallMs()).toISOString();
  const repair = { at, begins, lastSeq, trouble, remarks };
  await stream.configure({
    metadata: {
      [BEGINNING_KEY]: String(begins),
      [REPAIRS_KEY]: JSON.stringify([...repairs, repair].slice(-REPAIRS_MAX)),
    },
  });
  return { begins };
}
