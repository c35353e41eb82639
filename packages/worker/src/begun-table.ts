/**
 * The attempts whose code has begun, in memory that the thread of the probes can read while the event loop is blocked. One
 * writer, on the main thread; entries of fixed size, each free where its attempt is 0. Times are `process.hrtime`, which all
 * threads of a process share.
 */
import type { AttemptRef, TaskId } from "@weft/protocol";

/** Longer than any task id. */
const ID_BYTES = 32;
/** Code that was aborted and does not stop still has its entry: room for more than the slots. */
const SPARE = 64;

export type BegunMemory = {
  readonly attempts: Int32Array<SharedArrayBuffer>;
  readonly ids: Uint8Array<SharedArrayBuffer>;
  /** When inline code must have let go of the event loop; 0 where there is no such time. */
  readonly limitsNs: BigInt64Array<SharedArrayBuffer>;
  /** How many attempts run that have no entry. */
  readonly unlisted: Int32Array<SharedArrayBuffer>;
  /** 1 where the reader is to be told of the next limit. */
  readonly awaited: Int32Array<SharedArrayBuffer>;
};

export function begunMemory(slots: number): BegunMemory {
  const places = slots + SPARE;
  return {
    attempts: new Int32Array(new SharedArrayBuffer(4 * places)),
    ids: new Uint8Array(new SharedArrayBuffer(ID_BYTES * places)),
    limitsNs: new BigInt64Array(new SharedArrayBuffer(8 * places)),
    unlisted: new Int32Array(new SharedArrayBuffer(4)),
    awaited: new Int32Array(new SharedArrayBuffer(4)),
  };
}

export type BegunEntry = {
  /** From now on its code may hold the event loop for so long. */
  limit(waitMs: number): void;
  /** Takes the entry away again. */
  ended(): void;
};

export const NO_ENTRY: BegunEntry = { limit: () => undefined, ended: () => undefined };

const NANOS_PER_MS = 1_000_000;

export class BegunTable {
  private readonly memory: BegunMemory;
  private readonly free: Entry[];
  /** The ids, for whoever writes texts. */
  readonly ids: Buffer;

  constructor(memory: BegunMemory) {
    this.memory = memory;
    this.ids = Buffer.from(memory.ids.buffer);
    this.free = Array.from(memory.attempts.keys(), (place) => new Entry(this, memory, place)).reverse();
  }

  add({ id, attempt }: AttemptRef): BegunEntry {
    const entry = id.length > ID_BYTES ? undefined : this.free.pop();
    if (entry !== undefined) {
      entry.begin(id, attempt);
      return entry;
    }
    const { unlisted } = this.memory;
    Atomics.add(unlisted, 0, 1);
    return { ...NO_ENTRY, ended: () => void Atomics.sub(unlisted, 0, 1) };
  }

  giveBack(entry: Entry): void {
    this.free.push(entry);
  }
}

/** One place, for one attempt after another. */
class Entry implements BegunEntry {
  private readonly table: BegunTable;
  private readonly memory: BegunMemory;
  private readonly place: number;

  constructor(table: BegunTable, memory: BegunMemory, place: number) {
    this.table = table;
    this.memory = memory;
    this.place = place;
  }

  begin(id: TaskId, attempt: number): void {
    const { place } = this;
    const { attempts, limitsNs } = this.memory;
    const { ids } = this.table;
    const start = place * ID_BYTES;
    // In one call: character by character it takes 0.05 µs, and so 0.02.
    ids.write(id, start, "latin1");
    if (id.length < ID_BYTES) ids[start + id.length] = 0;
    // Most never had one, and a bigint is an object.
    if (limitsNs[place] !== 0n) Atomics.store(limitsNs, place, 0n);
    Atomics.store(attempts, place, attempt);
  }

  limit(waitMs: number): void {
    const dueNs = process.hrtime.bigint() + BigInt(Math.ceil(waitMs) * NANOS_PER_MS);
    const { limitsNs, awaited } = this.memory;
    Atomics.store(limitsNs, this.place, dueNs);
    if (Atomics.load(awaited, 0) === 0) return;
    Atomics.store(awaited, 0, 0);
    Atomics.notify(awaited, 0);
  }

  ended(): void {
    // A plain store: what others see of it late was so a moment ago, and one store that all see at once is 0.04 µs.
    this.memory.attempts[this.place] = 0;
    this.table.giveBack(this);
  }
}

/** Null where some are not listed. */
export function readBegun(memory: BegunMemory): AttemptRef[] | null {
  if (Atomics.load(memory.unlisted, 0) > 0) return null;
  return listed(memory).map(({ id, attempt }) => ({ id, attempt }));
}

export type Listed = AttemptRef & { readonly limitNs: bigint };

export function listed({ attempts, ids, limitsNs }: BegunMemory): Listed[] {
  const begun: Listed[] = [];
  for (let place = 0; place < attempts.length; place++) {
    const attempt = Atomics.load(attempts, place);
    if (attempt === 0) continue;
    const bytes = ids.subarray(place * ID_BYTES, (place + 1) * ID_BYTES);
    const length = bytes.indexOf(0);
    const id = String.fromCharCode(...bytes.subarray(0, length < 0 ? ID_BYTES : length)) as TaskId;
    begun.push({ id, attempt, limitNs: Atomics.load(limitsNs, place) });
  }
  return begun;
}

/** For the reader: resolves once some code has a limit, at once where it has. */
export async function untilLimited(memory: BegunMemory): Promise<void> {
  const { awaited } = memory;
  for (;;) {
    Atomics.store(awaited, 0, 1);
    // Behind that: whoever sets a limit from now on tells.
    if (listed(memory).some(({ limitNs }) => limitNs > 0n)) return;
    await Atomics.waitAsync(awaited, 0, 1).value;
  }
}
