/**
 * One clock for all processes of a run: `process.hrtime` reads the system's monotonic clock, which counts from one origin
 * for the whole machine, in nanoseconds. (`performance.now()` counts from each process's own start, and
 * `performance.timeOrigin` ties it to the wall clock as it stood then.)
 */
export function monotonicMs(): number {
  return Number(process.hrtime.bigint()) / 1e6;
}

const TICKS = 8;

/**
 * What to add to the monotonic clock to get the wall clock, for times that somebody else took by the wall clock.
 * `Date.now()` counts whole milliseconds, so it is watched until it moves on: at that moment it is exact. Seeing it late
 * makes the offset too small, never too large, hence the largest of several counts.
 */
export function wallOffsetMs(): number {
  let largestMs = Number.NEGATIVE_INFINITY;
  for (let tick = 0; tick < TICKS; tick++) {
    const beforeMs = Date.now();
    let wallMs = beforeMs;
    while (wallMs === beforeMs) wallMs = Date.now();
    largestMs = Math.max(largestMs, wallMs - monotonicMs());
  }
  return largestMs;
}

const STEPS = 1_000;

/** The smallest step of the monotonic clock that two readings in a row show: what one reading costs at least. */
export function clockStepMs(): number {
  let smallestMs = Number.POSITIVE_INFINITY;
  for (let step = 0; step < STEPS; step++) {
    const beforeMs = monotonicMs();
    smallestMs = Math.min(smallestMs, monotonicMs() - beforeMs);
  }
  return smallestMs;
}
