/**
 * Timers that fire at the multiples of their periods, and so together with all others whose periods divide: an idle process
 * is woken a few times each second in place of once for each of its watches, which is most of what it costs. Those that
 * are due at one moment fire in one call, so that what they send leaves together.
 */
import type { Timer } from "./clock.ts";

type Beat = { readonly acts: Set<() => void>; readonly timeout: NodeJS.Timeout };

export class Beats {
  private readonly nowMs: () => number;
  private readonly isBackground: boolean;
  /** By the moment at which they are due. */
  private readonly beats = new Map<number, Beat>();

  /** Of a clock; those in the background do not keep the process alive. */
  constructor(nowMs: () => number, isBackground: boolean) {
    this.nowMs = nowMs;
    this.isBackground = isBackground;
  }

  every(periodMs: number, act: () => void): Timer {
    let dueMs = 0;
    const fire = (): void => {
      // Armed first: what `act` throws ends no watch, as with an interval, and it may cancel.
      arm();
      act();
    };
    const arm = (): void => {
      dueMs = this.add(periodMs, fire);
    };
    arm();
    return { cancel: () => this.remove(dueMs, fire) };
  }

  private add(periodMs: number, fire: () => void): number {
    // Read once: this process may be paused between two reads, and the time until then would be less than none.
    const nowMs = this.nowMs();
    const dueMs = nextMultiple(nowMs + periodMs / 2, periodMs);
    const beat = this.beats.get(dueMs) ?? this.begin(dueMs, nowMs);
    beat.acts.add(fire);
    return dueMs;
  }

  private begin(dueMs: number, nowMs: number): Beat {
    const timeout = setTimeout(() => this.fire(dueMs), Math.ceil(dueMs - nowMs));
    if (this.isBackground) timeout.unref();
    const beat = { acts: new Set<() => void>(), timeout };
    this.beats.set(dueMs, beat);
    return beat;
  }

  private fire(dueMs: number): void {
    for (const act of this.beats.get(dueMs)?.acts ?? []) {
      try {
        act();
      } catch (error) {
        // As if each had a timer of its own.
        queueMicrotask(() => {
          throw error;
        });
      }
    }
    this.beats.delete(dueMs);
  }

  private remove(dueMs: number, fire: () => void): void {
    const beat = this.beats.get(dueMs);
    if (beat === undefined) return;
    beat.acts.delete(fire);
    if (beat.acts.size > 0) return;
    clearTimeout(beat.timeout);
    this.beats.delete(dueMs);
  }
}

function nextMultiple(fromMs: number, periodMs: number): number {
  return Math.ceil(fromMs / periodMs) * periodMs;
}
