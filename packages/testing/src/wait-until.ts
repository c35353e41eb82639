/** Waits for a condition with a deadline: what tests use instead of sleeping. */
export type WaitOptions = {
  /** @default 10000 */
  readonly timeoutMs?: number;
  /** What is waited for, in the error. */
  readonly what?: string;
  /** The story so far, printed on time-out. */
  readonly story?: () => string;
};

const TIMEOUT_MS = 10_000;
const AGAIN_MS = 5;

/** Resolves with the first value that is neither false, null nor undefined. */
export async function waitUntil<T>(
  condition: () => T | Promise<T>,
  options: WaitOptions = {},
): Promise<NonNullable<Exclude<T, false>>> {
  const deadlineMs = performance.now() + (options.timeoutMs ?? TIMEOUT_MS);
  for (;;) {
    const value = await condition();
    if (value !== false && value !== null && value !== undefined)
      return value as NonNullable<Exclude<T, false>>;
    if (performance.now() > deadlineMs) {
      const story = options.story === undefined ? "" : `\n${options.story()}`;
      throw new Error(`${options.what ?? "the condition"} did not come true in time${story}`);
    }
    await new Promise((again) => setTimeout(again, AGAIN_MS));
  }
}
