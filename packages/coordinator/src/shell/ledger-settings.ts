/** From what a coordinator is started with to what every fold holds to: the leader tells it in the log. */
import { DURATION_MAX_MS, type LedgerSettings, UsageError } from "@weft/protocol";
import { DEFAULT_SETTINGS } from "../core/ledger/index.ts";
import type { NamespaceConfig } from "./namespace.ts";

export type RetentionOptions = {
  /** How long a settled task is kept, with its result, in milliseconds: from 10 minutes to 24 days. @default 86400000 */
  readonly ageMs?: number;
  /** Settled tasks that are kept: of more the oldest leave early, though not within ten minutes. @default 1000000 */
  readonly tasksMax?: number;
  /** Bytes that their results may take in the log, likewise. @default a quarter of the log's limit */
  readonly bytesMax?: number;
};

/** So much of the log may be results of tasks that are over. */
const RESULTS_SHARE = 4;

/** What follows from the log's limit, which an operator may change at any time. */
export type SettingsFor = (log: Pick<NamespaceConfig, "logBytesMax">) => LedgerSettings;

/** Checks the options; what they leave open depends on the namespace. */
export function ledgerSettings(options: RetentionOptions): SettingsFor {
  const { retentionMs, retentionMinMs, settledTasksMax } = DEFAULT_SETTINGS;
  const { ageMs = retentionMs, tasksMax = settledTasksMax, bytesMax = null } = options;
  check("ageMs", ageMs, retentionMinMs, DURATION_MAX_MS);
  check("tasksMax", tasksMax, 1, Number.MAX_SAFE_INTEGER);
  if (bytesMax !== null) check("bytesMax", bytesMax, 1, Number.MAX_SAFE_INTEGER);
  return ({ logBytesMax }) => ({
    retentionMs: ageMs,
    retentionMinMs,
    settledTasksMax: tasksMax,
    resultBytesMax: bytesMax ?? Math.ceil(Math.max(0, logBytesMax) / RESULTS_SHARE),
    logBytesMax: Math.max(0, logBytesMax),
  });
}

export function sameSettings(one: LedgerSettings, other: LedgerSettings): boolean {
  return (
    one.retentionMs === other.retentionMs &&
    one.retentionMinMs === other.retentionMinMs &&
    one.settledTasksMax === other.settledTasksMax &&
    one.resultBytesMax === other.resultBytesMax &&
    one.logBytesMax === other.logBytesMax
  );
}

function check(name: string, value: number, least: number, most: number): void {
  if (Number.isSafeInteger(value) && value >= least && value <= most) return;
  throw new UsageError(
    `retention: ${name} must be a whole number from ${least} to ${most}, got ${String(value)}`,
  );
}
