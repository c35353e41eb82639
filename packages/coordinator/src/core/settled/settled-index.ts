/**
 * The settled tasks in the order in which they settled: columns of numbers and a hash table, 60 to 64 bytes a task where there are many. A
 * task is made into an object when somebody asks for it.
 *
 * S1 Only the oldest is ever evicted.
 * S2 What a live task's dependency names is pinned. A pinned task that is evicted stays as an object until the last pin
 *    goes: few are, and they do not hold back those that settled after them.
 */
import type { TaskId } from "@weft/protocol";
import { loadRows, saveRows } from "../codec/rows.ts";
import { loadSettled, saveSettled } from "../codec/settled-row.ts";
import { refuse, type StateReader } from "../codec/state-reader.ts";
import type { StateWriter } from "../codec/state-writer.ts";
import { loadVerdict, saveVerdict } from "../codec/verdict-row.ts";
import type { Position, SettledTask, Verdict } from "../ledger/task.ts";
import { NameTable } from "./name-table.ts";
import { hashId, ID_WORDS, packId, unpackId } from "./packed-id.ts";
import {
  bytesOfChunk,
  CHUNK_TASKS,
  COUNT_MAX,
  emptyChunk,
  loadChunk,
  outcomeIn,
  type SettledChunk,
  saveChunk,
  setEnding,
  setWide,
  valueBytesIn,
  visitHashes,
  WIDE,
  wide,
} from "./settled-chunk.ts";
import { SlotTable } from "./slot-table.ts";

/** What left the index: where its value was, and how long. */
export type Evicted = { readonly valueSeq: number; readonly valueBytes: number };
export type Held = { readonly seq: number; readonly bytes: number };
export type Kept = { task: SettledTask; readonly valueBytes: number; pins: number };

export class SettledIndex {
  private readonly chunks: (SettledChunk | null)[] = [];
  /** Numbers of chunks, the oldest first. */
  private readonly order: number[] = [];
  private readonly free: number[] = [];
  private readonly table = new SlotTable({
    of: (slot) => this.hashOf(slot),
    visit: (each) => {
      for (const number of this.order) visitHashes(this.chunks[number] ?? EMPTY, number, each);
    },
  });
  private readonly names = new NameTable();
  private readonly verdicts = new Map<number, Verdict>();
  /** Attempts and tries that have no room in their column: by twice the slot, and 1 more for tries. */
  private readonly largeCounts = new Map<number, number>();
  private readonly pinnedSlots = new Map<number, number>();
  /** Evicted and pinned (S2), in the order in which they settled. */
  readonly kept: Map<TaskId, Kept> = new Map();
  private count = 0;
  /** Bytes of all values that are held here. */
  valueBytes = 0;

  get size(): number {
    return this.count + this.kept.size;
  }

  /** Tasks that are pinned. */
  get pinned(): number {
    return this.pinnedSlots.size + this.kept.size;
  }

  /** What the columns and the table take, for all tasks together. */
  get structuralBytes(): number {
    return this.chunks.reduce(
      (sum, chunk) => sum + (chunk === null ? 0 : bytesOfChunk(chunk)),
      this.table.bytes,
    );
  }

  has(id: TaskId): boolean {
    return this.slotOf(id) >= 0 || (this.kept.size > 0 && this.kept.has(id));
  }

  get(id: TaskId): SettledTask | undefined {
    const slot = this.slotOf(id);
    return slot >= 0 ? this.taskIn(slot) : this.kept.get(id)?.task;
  }

  /** Where the record is that ended it and holds its value; null where it is not here, or no record did. */
  finishOf(id: TaskId): Position | null {
    const slot = this.slotOf(id);
    return slot >= 0 ? this.finishIn(slot) : (this.kept.get(id)?.task.finish ?? null);
  }

  /** The caller knows that it is not there. `valueBytes` is what its value takes in the log, `pins` how many live tasks name it. */
  add(task: SettledTask, valueBytes: number, pins = 0): void {
    this.table.reserve(1);
    const { chunk, number } = this.room();
    const at = chunk.end++;
    const slot = number * CHUNK_TASKS + at;
    packId(task.id, chunk.ids, at * ID_WORDS);
    chunk.names[at] = this.names.take(task.name);
    setEnding(chunk, at, task.outcome, valueBytes);
    setWide(chunk, at, WIDE.settledAtMs, task.settledAtMs);
    setWide(chunk, at, WIDE.submittedSeq, task.submitted.seq);
    setWide(chunk, at, WIDE.finishSeq, task.finish?.seq ?? 0);
    chunk.indices[at * 2] = task.submitted.index;
    chunk.indices[at * 2 + 1] = task.finish?.index ?? 0;
    chunk.attempts[at * 2] = this.countFor(2 * slot, task.attempt);
    chunk.attempts[at * 2 + 1] = this.countFor(2 * slot + 1, task.tries);
    if (task.verdict !== null) this.verdicts.set(slot, task.verdict);
    if (pins > 0) this.pinnedSlots.set(slot, pins);
    this.table.add(hashId(chunk.ids, at * ID_WORDS), slot);
    this.count++;
    this.valueBytes += valueBytes;
  }

  /** One pin more for each live task that names it; unknown ids are passed over. */
  pin(id: TaskId): void {
    const slot = this.slotOf(id);
    if (slot >= 0) this.pinnedSlots.set(slot, (this.pinnedSlots.get(slot) ?? 0) + 1);
    else {
      const kept = this.kept.get(id);
      if (kept !== undefined) kept.pins++;
    }
  }

  /** Takes a pin away. What was only kept for it leaves. */
  unpin(id: TaskId): Evicted | null {
    const slot = this.slotOf(id);
    if (slot >= 0) {
      const left = (this.pinnedSlots.get(slot) ?? 0) - 1;
      if (left > 0) this.pinnedSlots.set(slot, left);
      else this.pinnedSlots.delete(slot);
      return null;
    }
    const kept = this.kept.get(id);
    if (kept === undefined || --kept.pins > 0) return null;
    this.kept.delete(id);
    this.valueBytes -= kept.valueBytes;
    return { valueSeq: kept.task.finish?.seq ?? 0, valueBytes: kept.valueBytes };
  }

  pins(id: TaskId): number {
    const slot = this.slotOf(id);
    return (slot >= 0 ? this.pinnedSlots.get(slot) : this.kept.get(id)?.pins) ?? 0;
  }

  /** How long its value is; 0 where the id is not here. */
  valueBytesOf(id: TaskId): number {
    const slot = this.slotOf(id);
    if (slot < 0) return this.kept.get(id)?.valueBytes ?? 0;
    return valueBytesIn(this.chunkOf(slot), slot % CHUNK_TASKS);
  }

  /** Its value is found elsewhere from now on. */
  moveValue(id: TaskId, to: Position): void {
    const slot = this.slotOf(id);
    if (slot >= 0) {
      const at = slot % CHUNK_TASKS;
      setWide(this.chunkOf(slot), at, WIDE.finishSeq, to.seq);
      this.chunkOf(slot).indices[at * 2 + 1] = to.index;
      return;
    }
    const kept = this.kept.get(id);
    if (kept !== undefined) kept.task = { ...kept.task, finish: to };
  }

  /** Its value is kept no more. Answers how long it was. */
  freeValue(id: TaskId): number {
    const slot = this.slotOf(id);
    if (slot < 0) return 0;
    const chunk = this.chunkOf(slot);
    const at = slot % CHUNK_TASKS;
    const bytes = valueBytesIn(chunk, at);
    this.valueBytes -= bytes;
    setEnding(chunk, at, outcomeIn(chunk, at), 0);
    setWide(chunk, at, WIDE.finishSeq, 0);
    chunk.indices[at * 2 + 1] = 0;
    return bytes;
  }

  /** What settled at that moment settled at another: of the newest, without a gap. */
  restamp(fromMs: number, toMs: number): void {
    for (let i = this.order.length - 1; i >= 0; i--) {
      const chunk = this.chunks[this.order[i] ?? 0];
      if (chunk == null) continue;
      for (let at = chunk.end - 1; at >= chunk.first; at--) {
        if (wide(chunk, at, WIDE.settledAtMs) !== fromMs) return;
        setWide(chunk, at, WIDE.settledAtMs, toMs);
      }
    }
  }

  /** When the oldest that may be evicted settled; null where there is none. */
  oldestSettledAtMs(): number | null {
    const chunk = this.chunks[this.order[0] ?? -1];
    return chunk == null || this.count === 0 ? null : wide(chunk, chunk.first, WIDE.settledAtMs);
  }

  /** Evicts the oldest (S1). The task where it left, null where it is pinned and stays (S2) or there is none. */
  evictOldest(): Evicted | null {
    const number = this.order[0];
    const chunk = number === undefined ? null : this.chunks[number];
    if (number === undefined || chunk == null || this.count === 0) return null;
    const at = chunk.first++;
    const slot = number * CHUNK_TASKS + at;
    const pins = this.pinnedSlots.size === 0 ? undefined : this.pinnedSlots.get(slot);
    const valueBytes = valueBytesIn(chunk, at);
    if (pins !== undefined) {
      const task = this.taskIn(slot);
      this.kept.set(task.id, { task, valueBytes, pins });
      this.pinnedSlots.delete(slot);
    } else this.valueBytes -= valueBytes;
    this.table.delete(this.hashOf(slot), slot);
    this.names.drop(chunk.names[at] ?? 0);
    if (this.verdicts.size > 0) this.verdicts.delete(slot);
    if (this.largeCounts.size > 0) {
      this.largeCounts.delete(2 * slot);
      this.largeCounts.delete(2 * slot + 1);
    }
    this.count--;
    if (chunk.first === CHUNK_TASKS) this.giveBack(number, chunk);
    return pins === undefined ? { valueSeq: wide(chunk, at, WIDE.finishSeq), valueBytes } : null;
  }

  /** The records that hold their values, in the order in which they settled, without those that are passed over. */
  *held(passedOver: { has(seq: number): boolean }): Generator<Held> {
    for (const { task, valueBytes } of this.kept.values())
      if (task.finish !== null && !passedOver.has(task.finish.seq))
        yield { seq: task.finish.seq, bytes: valueBytes };
    for (const number of this.order) {
      const chunk = this.chunks[number];
      if (chunk == null) continue;
      for (let at = chunk.first; at < chunk.end; at++) {
        const seq = wide(chunk, at, WIDE.finishSeq);
        if (seq !== 0 && !passedOver.has(seq)) yield { seq, bytes: valueBytesIn(chunk, at) };
      }
    }
  }

  /** In the order in which they settled. */
  *values(): IterableIterator<SettledTask> {
    for (const { task } of this.kept.values()) yield task;
    for (const number of this.order) {
      const chunk = this.chunks[number];
      if (chunk == null) continue;
      for (let at = chunk.first; at < chunk.end; at++) yield this.taskIn(number * CHUNK_TASKS + at);
    }
  }

  *newestFirst(): IterableIterator<SettledTask> {
    for (let i = this.order.length - 1; i >= 0; i--) {
      const number = this.order[i] ?? 0;
      const chunk = this.chunks[number];
      if (chunk == null) continue;
      for (let at = chunk.end - 1; at >= chunk.first; at--) yield this.taskIn(number * CHUNK_TASKS + at);
    }
    yield* [...this.kept.values()].reverse().map(({ task }) => task);
  }

  /** The chunks as they are, so that a task is found in the same slot again. */
  *save(to: StateWriter): Generator<void> {
    yield* this.names.save(to);
    yield* saveRows(to, this.order, this.order.length, (number) => {
      to.count(number);
      saveChunk(to, this.chunks[number] ?? EMPTY);
    });
    yield* saveRows(to, this.free, this.free.length, (number) => to.count(number));
    yield* saveRows(to, this.verdicts, this.verdicts.size, ([slot, verdict]) => {
      to.count(slot);
      saveVerdict(to, verdict);
    });
    yield* saveRows(to, this.largeCounts, this.largeCounts.size, ([place, count]) => {
      to.count(place);
      to.count(count);
    });
    yield* saveRows(to, this.pinnedSlots, this.pinnedSlots.size, ([slot, pins]) => {
      to.count(slot);
      to.count(pins);
    });
    yield* saveRows(to, this.kept.values(), this.kept.size, ({ task, valueBytes, pins }) => {
      saveSettled(to, task);
      to.count(valueBytes);
      to.count(pins);
    });
  }

  *load(from: StateReader): Generator<void> {
    yield* this.names.load(from);
    yield* loadRows(from, () => this.loadChunk(from.count(), loadChunk(from)));
    yield* loadRows(from, () => {
      const number = from.count();
      if (this.chunks[number] != null) refuse("a chunk of settled tasks is used and free");
      this.chunks[number] = null;
      this.free.push(number);
    });
    if (this.chunks.length !== this.order.length + this.free.length) refuse("settled tasks are missing");
    yield* loadRows(from, () => void this.verdicts.set(from.count(), loadVerdict(from)));
    yield* loadRows(from, () => void this.largeCounts.set(from.count(), from.count()));
    yield* loadRows(from, () => void this.pinnedSlots.set(from.count(), from.count()));
    yield* loadRows(from, () => {
      const task = loadSettled(from);
      const valueBytes = from.count();
      this.kept.set(task.id, { task, valueBytes, pins: from.count() });
      this.valueBytes += valueBytes;
    });
  }

  private loadChunk(number: number, chunk: SettledChunk): void {
    if (this.chunks[number] != null) refuse("a chunk of settled tasks is there twice");
    this.table.reserve(chunk.end - chunk.first);
    this.chunks[number] = chunk;
    this.order.push(number);
    visitHashes(chunk, number, (hash, slot) => this.table.add(hash, slot));
    for (let at = chunk.first; at < chunk.end; at++) {
      this.names.use(chunk.names[at] ?? 0);
      this.valueBytes += valueBytesIn(chunk, at);
      this.count++;
    }
  }

  private countFor(place: number, count: number): number {
    if (count < COUNT_MAX) return count;
    this.largeCounts.set(place, count);
    return COUNT_MAX;
  }

  private slotOf(id: TaskId): number {
    packId(id, PROBE, 0);
    return this.table.find(hashId(PROBE, 0), this.isProbed);
  }

  /** Whether the id in a slot is the one that is asked for; a field, so that no closure is made for each question. */
  private readonly isProbed = (slot: number): boolean => {
    const { ids } = this.chunkOf(slot);
    const at = (slot % CHUNK_TASKS) * ID_WORDS;
    return (
      ids[at + 1] === PROBE[1] && ids[at + 2] === PROBE[2] && ids[at + 3] === PROBE[3] && ids[at] === PROBE[0]
    );
  };

  private hashOf(slot: number): number {
    return hashId(this.chunkOf(slot).ids, (slot % CHUNK_TASKS) * ID_WORDS);
  }

  private chunkOf(slot: number): SettledChunk {
    return this.chunks[(slot / CHUNK_TASKS) | 0] ?? EMPTY;
  }

  private finishIn(slot: number): Position | null {
    const chunk = this.chunkOf(slot);
    const at = slot % CHUNK_TASKS;
    const seq = wide(chunk, at, WIDE.finishSeq);
    return seq === 0 ? null : { seq, index: chunk.indices[at * 2 + 1] ?? 0 };
  }

  private taskIn(slot: number): SettledTask {
    const chunk = this.chunkOf(slot);
    const at = slot % CHUNK_TASKS;
    return {
      id: unpackId(chunk.ids, at * ID_WORDS),
      name: this.names.name(chunk.names[at] ?? 0),
      outcome: outcomeIn(chunk, at),
      attempt: this.largeCounts.get(2 * slot) ?? chunk.attempts[at * 2] ?? 0,
      tries: this.largeCounts.get(2 * slot + 1) ?? chunk.attempts[at * 2 + 1] ?? 0,
      submitted: { seq: wide(chunk, at, WIDE.submittedSeq), index: chunk.indices[at * 2] ?? 0 },
      settledAtMs: wide(chunk, at, WIDE.settledAtMs),
      finish: this.finishIn(slot),
      verdict: this.verdicts.get(slot) ?? null,
    };
  }

  /** The newest chunk, or a new one where that is full. */
  private room(): { readonly chunk: SettledChunk; readonly number: number } {
    const newest = this.order.at(-1) ?? -1;
    const chunk = this.chunks[newest];
    if (chunk != null && chunk.end < CHUNK_TASKS) return { chunk, number: newest };
    const number = this.free.pop() ?? this.chunks.length;
    const made = this.chunks[number] ?? emptyChunk();
    this.chunks[number] = made;
    this.order.push(number);
    return { chunk: made, number };
  }

  /** One emptied chunk is kept to be used again; more of them would only take room. */
  private giveBack(number: number, chunk: SettledChunk): void {
    this.order.shift();
    chunk.first = 0;
    chunk.end = 0;
    if (this.free.length > 0) this.chunks[number] = null;
    this.free.push(number);
  }
}

const EMPTY = emptyChunk();
/** The id that is asked for, packed. */
const PROBE = new Uint32Array(ID_WORDS);
