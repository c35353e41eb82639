/** A clock that tells each time that one of its timers fires. */
import type { Clock } from "@weft/transport";

export function countingClock(clock: Clock, onFired: () => void): Clock {
  const counted = (act: () => void) => (): void => {
    onFired();
    act();
  };
  return {
    ...clock,
    after: (waitMs, act) => clock.after(waitMs, counted(act)),
    every: (periodMs, act) => clock.every(periodMs, counted(act)),
  };
}
