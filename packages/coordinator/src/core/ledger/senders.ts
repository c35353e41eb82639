/**
 * Which records of each sender instance the fold has seen. A repeat is void by its number, whatever else was forgotten:
 * the highest number and a window below it are kept until an hour after the sender's last record.
 */
import type { InstanceId } from "@weft/protocol";

const WINDOW = 64;
const FORGET_MS = 3_600_000;

type Seen = { highest: number; readonly below: Set<number>; lastAtMs: number };

export class Senders {
  private readonly byInstance = new Map<InstanceId, Seen>();

  get size(): number {
    return this.byInstance.size;
  }

  /** True for a record that was not seen before; it counts as seen from now on. */
  admit(instance: InstanceId, number: number, nowMs: number): boolean {
    const seen = this.byInstance.get(instance);
    if (seen === undefined) {
      this.byInstance.set(instance, { highest: number, below: new Set([number]), lastAtMs: nowMs });
      return true;
    }
    if (number <= seen.highest - WINDOW || seen.below.has(number)) return false;
    // Re-inserted so that iteration runs from the sender silent for longest.
    this.byInstance.delete(instance);
    this.byInstance.set(instance, seen);
    seen.lastAtMs = nowMs;
    seen.below.add(number);
    if (number > seen.highest) {
      for (let old = Math.max(0, seen.highest - WINDOW + 1); old <= number - WINDOW; old++) {
        if (old > seen.highest) break;
        seen.below.delete(old);
      }
      seen.highest = number;
    }
    return true;
  }

  forget(nowMs: number): void {
    for (const [instance, seen] of this.byInstance) {
      // Seen before the clock ran, as those behind it may be: its hour begins now.
      if (seen.lastAtMs === 0) seen.lastAtMs = nowMs;
      else if (nowMs - seen.lastAtMs < FORGET_MS) return;
      else this.byInstance.delete(instance);
    }
  }
}
