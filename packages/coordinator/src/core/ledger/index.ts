export type { Effect } from "./effect.ts";
export { Ledger } from "./ledger.ts";
export { tell } from "./reason.ts";
export { DEFAULT_SETTINGS, hasExpired, mayHaveExpired } from "./retention.ts";
export type { LedgerConfig } from "./state.ts";
export {
  isLive,
  isReleased,
  type LiveTask,
  NOT_BEGUN,
  type Position,
  type SettledTask,
  type Verdict,
} from "./task.ts";
