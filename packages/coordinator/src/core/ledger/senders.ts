/**
 * Which records of each sender instance the fold has seen. A repeat is void by its number, whatever else was forgotten:
 * the highest number and those of a span below it are kept until two hours after the sender's last record.
 */
import { type InstanceId, RECORD_SPAN_MAX } from "@weft/protocol";
import { loadRows, saveRows } from "../codec/rows.ts";
import { refuse, type StateReader } from "../codec/state-reader.ts";
import type { StateWriter } from "../codec/state-writer.ts";
import { ownText } from "./own-text.ts";
import { SENDER_MEMORY_MS } from "./retention.ts";

/** Of the span, in one number of a checkpoint. */
const BITS = 16;

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
      this.byInstance.set(ownText(instance), { highest: number, below: new Set([number]), lastAtMs: nowMs });
      return true;
    }
    if (number <= seen.highest - RECORD_SPAN_MAX || seen.below.has(number)) return false;
    // Re-inserted so that iteration runs from the sender silent for longest.
    this.byInstance.delete(instance);
    this.byInstance.set(instance, seen);
    seen.lastAtMs = nowMs;
    seen.below.add(number);
    if (number > seen.highest) {
      for (
        let old = Math.max(0, seen.highest - RECORD_SPAN_MAX + 1);
        old <= number - RECORD_SPAN_MAX;
        old++
      ) {
        if (old > seen.highest) break;
        seen.below.delete(old);
      }
      seen.highest = number;
    }
    return true;
  }

  forget(nowMs: number): void {
    for (const [instance, seen] of this.byInstance) {
      // Seen before the clock ran, as those behind it may be: its time begins now.
      if (seen.lastAtMs === 0) seen.lastAtMs = nowMs;
      else if (nowMs - seen.lastAtMs < SENDER_MEMORY_MS) return;
      else this.byInstance.delete(instance);
    }
  }

  /** In the order in which they were heard last: it is the order in which they are forgotten. */
  *save(to: StateWriter): Generator<void> {
    yield* saveRows(to, this.byInstance, this.byInstance.size, ([instance, { highest, below, lastAtMs }]) => {
      to.text(instance);
      to.count(highest);
      to.count(lastAtMs);
      for (let part = 0; part < RECORD_SPAN_MAX; part += BITS) {
        let bits = 0;
        for (let bit = 0; bit < BITS; bit++) if (below.has(highest - part - bit)) bits += 1 << bit;
        to.count(bits);
      }
    });
  }

  *load(from: StateReader): Generator<void> {
    yield* loadRows(from, () => {
      const instance = from.text() as InstanceId;
      const seen: Seen = { highest: from.count(), lastAtMs: from.count(), below: new Set() };
      for (let part = 0; part < RECORD_SPAN_MAX; part += BITS) {
        const bits = from.count();
        for (let bit = 0; bit < BITS; bit++) if (bits & (1 << bit)) seen.below.add(seen.highest - part - bit);
      }
      if (this.byInstance.has(instance)) refuse("a sender is there twice");
      this.byInstance.set(instance, seen);
    });
  }
}
