/** Whether a run passed, and what of it did not. */
import { type Balance, FAILINGS } from "./account.ts";

/** Names of the counts that are not what they must be. */
export function failingsOf(balance: Balance): readonly string[] {
  const wrong = FAILINGS.filter((name) => balance[name] > 0);
  return balance.acknowledged === 0 ? ["acknowledged", ...wrong] : wrong;
}
