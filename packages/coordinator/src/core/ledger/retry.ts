/** Whether there is another try, and when. Whole numbers throughout: every machine must come to the same. */
import type { FinishFailure, RetryPolicy, TaskId } from "@weft/protocol";

/** How long to wait for the next try after so many; null where there is none. */
export function retryDelayMs(
  policy: RetryPolicy,
  ended: { readonly id: TaskId; readonly attempt: number; readonly tries: number },
  failure: FinishFailure,
): number | null {
  const { errorName, nonRetryable, retryAfterMs } = failure;
  if (nonRetryable || ended.tries >= policy.maximumAttempts) return null;
  if (policy.nonRetryable.includes(errorName)) return null;
  return retryAfterMs ?? backoffMs(policy, ended);
}

/** The wait after so many tries, the failure's own wish aside. */
export function backoffMs(
  policy: RetryPolicy,
  ended: { readonly id: TaskId; readonly attempt: number; readonly tries: number },
): number {
  const waitMs = Math.min(policy.maximumIntervalMs, grown(policy, Math.max(1, ended.tries)));
  // By whole thousandths, drawn from the attempt itself.
  const shorterPermille = hash(ended.id, ended.attempt) % (policy.jitterPermille + 1);
  return waitMs - Math.floor((waitMs * shorterPermille) / 1_000);
}

function grown(policy: RetryPolicy, tries: number): number {
  const { strategy, initialIntervalMs, backoffCoefficient, maximumIntervalMs } = policy;
  if (strategy === "fixed") return initialIntervalMs;
  if (strategy === "linear") return initialIntervalMs * tries;
  let waitMs = initialIntervalMs;
  // Multiplied step by step: a power may differ in its last digit from one machine to the next.
  for (let left = tries - 1; left > 0 && waitMs < maximumIntervalMs; left--) {
    const nextMs = Math.floor(waitMs * backoffCoefficient);
    if (nextMs === waitMs) break;
    waitMs = nextMs;
  }
  return waitMs;
}

/** FNV-1a, with a last stir: ids that differ in little give hashes that differ in much. */
function hash(id: TaskId, attempt: number): number {
  let h = 0x811c9dc5;
  for (let i = 0; i < id.length; i++) h = Math.imul(h ^ id.charCodeAt(i), 0x01000193);
  h = Math.imul(h ^ attempt, 0x01000193);
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  return (h ^ (h >>> 13)) >>> 0;
}
