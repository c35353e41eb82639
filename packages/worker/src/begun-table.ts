/**
 * The attempts whose code has begun, in memory that the thread of the probes can read while the event loop is blocked. One
 * writer, on the main thread; entries of fixed size, each free where its attempt is 0.
 */
import type { AttemptRef, TaskId } from "@weft/protocol";

/** Longer than any task id. */
const ID_BYTES = 32;
/** Code that was aborted and does not stop still has its entry: room for more than the slots. */
const SPARE = 64;

export type BegunMemory = {
  readonly attempts: Int32Array<SharedArrayBuffer>;
  readonly ids: Uint8Array<SharedArrayBuffer>;
  /** How many attempts run that have no entry. */
  readonly unlisted: Int32Array<SharedArrayBuffer>;
};

export function begunMemory(slots: number): BegunMemory {
  const places = slots + SPARE;
  return {
    attempts: new Int32Array(new SharedArrayBuffer(4 * places)),
    ids: new Uint8Array(new SharedArrayBuffer(ID_BYTES * places)),
    unlisted: new Int32Array(new SharedArrayBuffer(4)),
  };
}

export class BegunTable {
  private readonly memory: BegunMemory;
  private readonly free: number[];

  constructor(memory: BegunMemory) {
    this.memory = memory;
    this.free = Array.from(memory.attempts.keys()).reverse();
  }

  /** Returns what takes the entry away again. */
  add({ id, attempt }: AttemptRef): () => void {
    const { attempts, ids, unlisted } = this.memory;
    const place = this.free.pop();
    if (place === undefined || id.length > ID_BYTES) {
      if (place !== undefined) this.free.push(place);
      Atomics.add(unlisted, 0, 1);
      return () => void Atomics.sub(unlisted, 0, 1);
    }
    const start = place * ID_BYTES;
    for (let i = 0; i < ID_BYTES; i++) ids[start + i] = i < id.length ? id.charCodeAt(i) : 0;
    Atomics.store(attempts, place, attempt);
    return () => {
      Atomics.store(attempts, place, 0);
      this.free.push(place);
    };
  }
}

/** Null where some are not listed. */
export function readBegun({ attempts, ids, unlisted }: BegunMemory): AttemptRef[] | null {
  if (Atomics.load(unlisted, 0) > 0) return null;
  const begun: AttemptRef[] = [];
  for (let place = 0; place < attempts.length; place++) {
    const attempt = Atomics.load(attempts, place);
    if (attempt === 0) continue;
    const bytes = ids.subarray(place * ID_BYTES, (place + 1) * ID_BYTES);
    const length = bytes.indexOf(0);
    const id = String.fromCharCode(...bytes.subarray(0, length < 0 ? ID_BYTES : length)) as TaskId;
    begun.push({ id, attempt });
  }
  return begun;
}
