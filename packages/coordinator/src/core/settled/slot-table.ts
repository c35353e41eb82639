/**
 * From the hash of an id to its slot: open addressing in one typed array, at least two fifths and at most four fifths
 * full. A deleted slot is closed by moving its followers up, so no grave is ever left in the way.
 */
const SIZE_MIN = 64;
const LOAD_NUMERATOR = 4;
const LOAD_DENOMINATOR = 5;

export class SlotTable {
  /** Slot + 1; 0 is empty. */
  private slots = new Int32Array(SIZE_MIN);
  private used = 0;
  private readonly hashOf: (slot: number) => number;

  constructor(hashOf: (slot: number) => number) {
    this.hashOf = hashOf;
  }

  get bytes(): number {
    return this.slots.byteLength;
  }

  /** The slot of that hash that `matches`; -1 where there is none. */
  find(hash: number, matches: (slot: number) => boolean): number {
    const mask = this.slots.length - 1;
    for (let at = hash & mask; ; at = (at + 1) & mask) {
      const slot = (this.slots[at] ?? 0) - 1;
      if (slot < 0 || matches(slot)) return slot;
    }
  }

  /** The caller knows that it is not there. */
  add(hash: number, slot: number): void {
    if ((this.used + 1) * LOAD_DENOMINATOR > this.slots.length * LOAD_NUMERATOR)
      this.resize(this.slots.length * 2);
    this.used++;
    this.place(hash, slot);
  }

  delete(hash: number, slot: number): void {
    const mask = this.slots.length - 1;
    let hole = hash & mask;
    while (this.slots[hole] !== slot + 1) hole = (hole + 1) & mask;
    for (let at = (hole + 1) & mask; ; at = (at + 1) & mask) {
      const follower = this.slots[at] ?? 0;
      if (follower === 0) break;
      const home = this.hashOf(follower - 1) & mask;
      // It may move up only if its home is not behind the hole.
      if (((at - home) & mask) < ((at - hole) & mask)) continue;
      this.slots[hole] = follower;
      hole = at;
    }
    this.slots[hole] = 0;
    this.used--;
    if (this.slots.length > SIZE_MIN && this.used * LOAD_DENOMINATOR < this.slots.length) {
      this.resize(this.slots.length / 2);
    }
  }

  private place(hash: number, slot: number): void {
    const mask = this.slots.length - 1;
    let at = hash & mask;
    while (this.slots[at] !== 0) at = (at + 1) & mask;
    this.slots[at] = slot + 1;
  }

  private resize(size: number): void {
    const before = this.slots;
    this.slots = new Int32Array(size);
    for (const each of before) if (each !== 0) this.place(this.hashOf(each - 1), each - 1);
  }
}
