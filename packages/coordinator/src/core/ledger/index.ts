export { type CarryFacts, planCarries } from "./carry-plan.ts";
export type { Effect } from "./effect.ts";
export { Ledger } from "./ledger.ts";
export { neededOf, oldestNeededSeq } from "./needed.ts";
export { tell } from "./reason.ts";
export { DEFAULT_SETTINGS, hasExpired, ITEM_BYTES, mayHaveExpired } from "./retention.ts";
export type { LedgerConfig } from "./state.ts";
export {
  DEFAULT_TERMS,
  isFreed,
  isLive,
  isReleased,
  type LiveTask,
  NOT_BEGUN,
  type Position,
  type SettledTask,
  type Verdict,
} from "./task.ts";
