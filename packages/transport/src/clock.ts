/**
 * Time, as shells see it: a monotonic clock for waits, a wall clock for people and records, and timers. It is handed in,
 * so that a simulation can run it.
 */

export type Timer = {
  readonly cancel: () => void;
};

export type Clock = {
  /** Milliseconds of a clock that never goes back; only differences mean something. */
  readonly nowMs: () => number;
  /** Milliseconds since 1970, as this machine believes. */
  readonly wallMs: () => number;
  readonly after: (waitMs: number, act: () => void) => Timer;
  /** Once this turn of the event loop is done, with all that follows from it at once. */
  readonly endOfTurn: (act: () => void) => void;
  /**
   * The first time after half to one and a half periods, so that an implementation may have many fire together. A background
   * timer does not keep the process alive.
   */
  readonly every: (periodMs: number, act: () => void, options?: { readonly background?: boolean }) => Timer;
};

/** Node sets a longer timer to fire at once. */
const TIMER_MAX_MS = 2 ** 31 - 1;

export const systemClock: Clock = {
  nowMs: () => performance.now(),
  wallMs: () => Date.now(),
  after(waitMs, act) {
    const timeout = setTimeout(act, Math.min(waitMs, TIMER_MAX_MS));
    return { cancel: () => clearTimeout(timeout) };
  },
  endOfTurn: (act) => void setImmediate(act),
  /**
   * Fires at the multiples of its period, and so together with all others whose periods divide: an idle process is woken a
   * few times each second in place of once for each of its watches, which is most of what it costs.
   */
  every(periodMs, act, options) {
    let timeout: NodeJS.Timeout;
    const arm = (): void => {
      // Read once: this process may be paused between two reads, and the time until then would be less than none.
      const nowMs = performance.now();
      timeout = setTimeout(fire, Math.ceil(nextMultiple(nowMs + periodMs / 2, periodMs) - nowMs));
      if (options?.background === true) timeout.unref();
    };
    const fire = (): void => {
      // Armed first: what `act` throws ends no watch, as with an interval, and it may cancel.
      arm();
      act();
    };
    arm();
    return { cancel: () => clearTimeout(timeout) };
  },
};

function nextMultiple(fromMs: number, periodMs: number): number {
  return Math.ceil(fromMs / periodMs) * periodMs;
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
