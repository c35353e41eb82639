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

export class SlotTable {
  private slots = new Int32Array(SIZE_MIN);
  /** What `tagOf` makes of the hash of each; 0 is empty. */
  private tags = new Uint8Array(SIZE_MIN);
  private used = 0;
  private readonly hashOf: (slot: number) => number;

  constructor(hashOf: (slot: number) => number) {
    this.hashOf = hashOf;
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

  /** The caller knows that it is not there. */
  add(hash: number, slot: number): void {
    if ((this.used + 1) * LOAD_DENOMINATOR > this.slots.length * LOAD_NUMERATOR)
      this.resize(this.slots.length * 2);
    this.used++;
    this.place(hash, slot);
  }

  /** The caller knows that it is there. */
  delete(hash: number, slot: number): void {
    const { slots, tags } = this;
    const mask = tags.length - 1;
    let hole = hash & mask;
    while (slots[hole] !== slot || tags[hole] === 0) hole = (hole + 1) & mask;
    for (let at = (hole + 1) & mask; tags[at] !== 0; at = (at + 1) & mask) {
      const follower = slots[at] ?? 0;
      const home = this.hashOf(follower) & mask;
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
    const { slots, tags } = this;
    this.slots = new Int32Array(size);
    this.tags = new Uint8Array(size);
    for (let at = 0; at < tags.length; at++) {
      const slot = slots[at] ?? 0;
      if (tags[at] !== 0) this.place(this.hashOf(slot), slot);
    }
  }
}

/** Of the bits that do not tell the place; never 0. */
function tagOf(hash: number): number {
  return (hash >>> 24) | 1;
}
