/** Whether a run passed, and what of it did not. */
import { type Balance, FAILINGS } from "./account.ts";

/** Tasks are submitted all the time: longer than this nothing may settle, whatever is broken. */
const STANDSTILL_MAX_MS = 45_000;

/** Names of the counts that are not what they must be. */
export function failingsOf(balance: Balance, longestStandstillMs = 0): readonly string[] {
  const wrong: string[] = FAILINGS.filter((name) => balance[name] > 0);
  if (longestStandstillMs > STANDSTILL_MAX_MS) wrong.push("longest_standstill_ms");
  return balance.acknowledged === 0 ? ["acknowledged", ...wrong] : wrong;
}
