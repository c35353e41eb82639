/**
 * Keys that wait for the same length of time, in the order in which they came, so the first is always the next due.
 *
 * The wait begins with the first control record after a key came: the clock stands still while no leader ticks, and what
 * came in such a pause must not be late when the clock catches up.
 */
import { loadRows, saveRows } from "../codec/rows.ts";
import { refuse, type StateReader } from "../codec/state-reader.ts";
import type { StateWriter } from "../codec/state-writer.ts";

export class Deadlines<Key> {
  private readonly waitMs: number;
  private readonly dueAtMs = new Map<Key, number>();
  private fresh: Key[] = [];

  constructor(waitMs: number) {
    this.waitMs = waitMs;
  }

  get size(): number {
    return this.dueAtMs.size;
  }

  add(key: Key): void {
    if (this.dueAtMs.has(key)) return;
    this.dueAtMs.set(key, Number.POSITIVE_INFINITY);
    this.fresh.push(key);
  }

  delete(key: Key): void {
    this.dueAtMs.delete(key);
  }

  /** Takes out what is due; called once per control record, after the clock has moved. */
  takeDue(nowMs: number): Key[] {
    const due: Key[] = [];
    for (const [key, atMs] of this.dueAtMs) {
      if (atMs > nowMs) break;
      due.push(key);
      this.dueAtMs.delete(key);
    }
    for (const key of this.fresh) if (this.dueAtMs.has(key)) this.dueAtMs.set(key, nowMs + this.waitMs);
    this.fresh = [];
    return due;
  }

  /** The keys in their order, each with its moment, and with what else `saveKey` writes of it. */
  *save(to: StateWriter, saveKey: (key: Key) => void): Generator<void> {
    yield* saveRows(to, this.dueAtMs, this.dueAtMs.size, ([key, atMs]) => {
      to.countOrNull(atMs === Number.POSITIVE_INFINITY ? null : atMs);
      saveKey(key);
    });
  }

  *load(from: StateReader, loadKey: () => Key): Generator<void> {
    yield* loadRows(from, () => {
      const atMs = from.countOrNull();
      const key = loadKey();
      if (this.dueAtMs.has(key)) refuse("an id is awaited twice");
      this.dueAtMs.set(key, atMs ?? Number.POSITIVE_INFINITY);
      if (atMs === null) this.fresh.push(key);
    });
  }
}
