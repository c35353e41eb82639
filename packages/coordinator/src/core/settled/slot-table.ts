/**
 * From the hash of an id to its slot: open addressing, at most five sixths full. A deleted slot is
 * closed by moving its followers up, so no grave is ever left in the way.
 *
 * Most of those that are asked for are new, and not here: beside each slot stands a byte of its hash, so that hardly ever the
 * id in a slot is looked at in vain, which the processor mostly has to fetch from memory.
 */
const SIZE_MIN = 64;
const LOAD_NUMERATOR = 5;
const LOAD_DENOMINATOR = 6;

/** The hashes of all that the table holds. */
export type Hashes = {
  readonly of: (slot: number) => number;
  /**
   * All of them, in the order in which they lie in memory: to fetch each from there in the order of the table takes a million
   * 90 ms when the table grows, so 25.
   */
  readonly visit: (each: (hash: number, slot: number) => void) => void;
};

export class SlotTable {
  private slots = new Int32Array(SIZE_MIN);
  /** What `tagOf` makes of the hash of each; 0 is empty. */
  private tags = new Uint8Array(SIZE_MIN);
  private used = 0;
  private readonly hashes: Hashes;

  constructor(hashes: Hashes) {
    this.hashes = hashes;
  }

  get bytes(): number {
    return this.slots.byteLength + this.tags.byteLength;
  }

  /** The slot of that hash that `matches`; -1 where there is none. */
  find(hash: number, matches: (slot: number) => boolean): number {
    const { slots, tags } = this;
    const mask = tags.length - 1;
    const tag = tagOf(hash);
    for (let at = hash & mask; ; at = (at + 1) & mask) {
      const there = tags[at] ?? 0;
      if (there === 0) return -1;
      if (there !== tag) continue;
      const slot = slots[at] ?? 0;
      if (matches(slot)) return slot;
    }
  }

  /** Makes room for so many more, which are not among the hashes yet. */
  reserve(more: number): void {
    const least = (this.used + more) * LOAD_DENOMINATOR;
    let size = this.slots.length;
    while (least > size * LOAD_NUMERATOR) size *= 2;
    if (size > this.slots.length) this.resize(size);
  }

  /** There is room for it, and the caller knows that it is not there. */
  add(hash: number, slot: number): void {
    this.used++;
    this.place(hash, slot);
  }

  /** The caller knows that it is there; it is not among the hashes any more. */
  delete(hash: number, slot: number): void {
    const { slots, tags } = this;
    const mask = tags.length - 1;
    let hole = hash & mask;
    while (slots[hole] !== slot || tags[hole] === 0) hole = (hole + 1) & mask;
    for (let at = (hole + 1) & mask; tags[at] !== 0; at = (at + 1) & mask) {
      const follower = slots[at] ?? 0;
      const home = this.hashes.of(follower) & mask;
      // It may move up only if its home is not behind the hole.
      if (((at - home) & mask) < ((at - hole) & mask)) continue;
      slots[hole] = follower;
      tags[hole] = tags[at] ?? 0;
      hole = at;
    }
    tags[hole] = 0;
    this.used--;
    if (tags.length > SIZE_MIN && this.used * LOAD_DENOMINATOR < tags.length) this.resize(tags.length / 2);
  }

  private place(hash: number, slot: number): void {
    const { slots, tags } = this;
    const mask = tags.length - 1;
    let at = hash & mask;
    while (tags[at] !== 0) at = (at + 1) & mask;
    slots[at] = slot;
    tags[at] = tagOf(hash);
  }

  private resize(size: number): void {
    this.slots = new Int32Array(size);
    this.tags = new Uint8Array(size);
    this.hashes.visit((hash, slot) => this.place(hash, slot));
  }
}

/** Of the bits that do not tell the place; never 0. */
function tagOf(hash: number): number {
  return (hash >>> 24) | 1;
}
