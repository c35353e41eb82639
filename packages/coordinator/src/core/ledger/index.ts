export type { Effect, VoidReason } from "./effect.ts";
export { checkInvariants } from "./invariants.ts";
export { Ledger, type LedgerConfig, type LogEntry } from "./ledger.ts";
export { type Told, tell } from "./reason.ts";
export { isLive, type LiveTask, type Position, type SettledTask, type Verdict } from "./task.ts";
