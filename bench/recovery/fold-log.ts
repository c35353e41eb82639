/** The log of a namespace in a ledger, as a coordinator that stands by has it. */
import type { Ledger } from "../../packages/coordinator/src/core/ledger/index.ts";
import { LogFold } from "../../packages/coordinator/src/shell/log-fold.ts";
import { LogReader } from "../../packages/coordinator/src/shell/log-reader.ts";
import { findStart, type StartPointOptions } from "../../packages/coordinator/src/shell/start-point.ts";

/** Resolves at the end of the log. The caller closes the reader. */
export async function foldLog(
  options: StartPointOptions,
): Promise<{ readonly ledger: Ledger; readonly reader: LogReader }> {
  const { connection, config, subjects } = options;
  const { ledger, point, skipped } = await findStart(options);
  const fold = new LogFold({ ledger, subjects, skipped, onVoid: () => undefined });
  const folded = Promise.withResolvers<void>();
  const reader = new LogReader({
    connection,
    stream: connection.stream(config.stream),
    onRecord(record) {
      try {
        fold.apply(record);
      } catch (error) {
        folded.reject(error);
      }
    },
    onCaughtUp: folded.resolve,
    onFailed: folded.reject,
  });
  // Both at once: a record may fail while the reader is being started.
  await Promise.all([reader.start(point), folded.promise]);
  return { ledger, reader };
}
