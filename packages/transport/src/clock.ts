/**
 * Time, as shells see it: a monotonic clock for waits, a wall clock for people and records, and timers. It is handed in,
 * so that a simulation can run it.
 */
import { Beats } from "./beats.ts";
import { systemEntropy } from "./entropy.ts";

export type Timer = {
  readonly cancel: () => void;
};

export type Clock = {
  /** Milliseconds of a clock that never goes back; only differences mean something. */
  readonly nowMs: () => number;
  /** Milliseconds since 1970, as this machine believes. */
  readonly wallMs: () => number;
  readonly after: (waitMs: number, act: () => void) => Timer;
  /** Once the present call out of the event loop is over, with all that follows from it at once: before the next one. */
  readonly endOfCall: (act: () => void) => void;
  /** Once this turn of the event loop is done, with all of its calls. */
  readonly endOfTurn: (act: () => void) => void;
  /**
   * The first time after half to one and a half periods, so that an implementation may have many fire together. A background
   * timer does not keep the process alive.
   */
  readonly every: (periodMs: number, act: () => void, options?: { readonly background?: boolean }) => Timer;
};

/** A message takes as long, at the least; at the most, it is not yet overdue. */
const AHEAD_MIN_MS = 10;
const AHEAD_MAX_MS = 90;
/** Node sets a longer timer to fire at once. */
const TIMER_MAX_MS = 2 ** 31 - 1;

/** Of few processes that answer one another: they do at one moment what they do each second, so that what one sends finds the others awake. */
export const commonClock: Clock = clockOf(0);

/**
 * Of one of many processes: what it does each second it does shortly before a moment of the common clock, so that whoever
 * looks then who has spoken finds that it has; and spread, so that thousands do not speak at once.
 */
export const systemClock: Clock = clockOf(AHEAD_MIN_MS + systemEntropy.below(AHEAD_MAX_MS - AHEAD_MIN_MS));

/** The moments of its watches are so much before those of others. */
function clockOf(aheadMs: number): Clock {
  const nowMs = (): number => performance.timeOrigin + performance.now() + aheadMs;
  const foreground = new Beats(nowMs, false);
  const background = new Beats(nowMs, true);
  return {
    nowMs,
    wallMs: () => Date.now(),
    after(waitMs, act) {
      const timeout = setTimeout(act, Math.min(waitMs, TIMER_MAX_MS));
      return { cancel: () => clearTimeout(timeout) };
    },
    // Behind the microtasks that are queued, and then behind those that these queue.
    endOfCall: (act) => queueMicrotask(() => process.nextTick(act)),
    endOfTurn: (act) => void setImmediate(act),
    every: (periodMs, act, options) =>
      (options?.background === true ? background : foreground).every(periodMs, act),
  };
}

export function pause(clock: Clock, waitMs: number): Promise<void> {
  return new Promise((over) => {
    clock.after(waitMs, over);
  });
}

/** What the work came to, or null where it took longer than `waitMs`. It is not stopped. */
export async function within<T>(clock: Clock, waitMs: number, work: Promise<T>): Promise<T | null> {
  let timer: Timer | undefined;
  const late = new Promise<null>((over) => {
    timer = clock.after(waitMs, () => over(null));
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    timer?.cancel();
  }
}
