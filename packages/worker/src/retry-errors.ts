/** What a task throws to say something about its next try. */
import { type Duration, type FinishFailure, parseDuration, TOKEN_LENGTH_MAX } from "@weft/protocol";

/** Known across copies of this package, as between a worker and the files of its tasks. */
const NON_RETRYABLE = Symbol.for("weft.non-retryable");
const RETRY_AFTER = Symbol.for("weft.retry-after");

/** Thrown by a task that knows that another try would fail as well: there is none, whatever its retry policy says. */
export class NonRetryableError extends Error {
  override readonly name: string = "NonRetryableError";

  constructor(message?: string, options?: ErrorOptions) {
    super(message, options);
    Object.defineProperty(this, NON_RETRYABLE, { value: true });
  }
}

export type RetryAfterErrorOptions = ErrorOptions & {
  /** How long to wait for the next try, in milliseconds or such as "30s": instead of what the retry policy says. */
  readonly retryAfter: Duration;
};

/** Thrown by a task that knows when another try is worth while, such as one that was told to come back later. */
export class RetryAfterError extends Error {
  override readonly name: string = "RetryAfterError";
  readonly retryAfterMs: number;

  constructor(message: string, { retryAfter, ...options }: RetryAfterErrorOptions) {
    super(message, options);
    this.retryAfterMs = parseDuration(retryAfter, "retryAfter");
    Object.defineProperty(this, RETRY_AFTER, { value: true });
  }
}

/** What was thrown is the user's: what cannot be read of it, or is no duration, is as if it were not there. */
export function retryFactsOf(thrown: unknown, errorName: string): FinishFailure {
  const plain = { errorName: errorName.slice(0, TOKEN_LENGTH_MAX), nonRetryable: false, retryAfterMs: null };
  try {
    return {
      ...plain,
      nonRetryable: isMarked(thrown, NON_RETRYABLE),
      retryAfterMs: isMarked(thrown, RETRY_AFTER) ? retryAfterMsOf(thrown) : null,
    };
  } catch {
    return plain;
  }
}

function isMarked(thrown: unknown, mark: symbol): boolean {
  return thrown instanceof Error && mark in thrown;
}

function retryAfterMsOf(thrown: unknown): number {
  return parseDuration((thrown as { readonly retryAfterMs?: unknown }).retryAfterMs, "retryAfterMs");
}
