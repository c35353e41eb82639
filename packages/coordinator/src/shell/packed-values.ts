/**
 * The values of a record in one block of memory: an object for each would take more than a small value does, and the
 * garbage collector would walk them all. A view of a value is made when it is asked for.
 */
const END_BYTES = 4;
/** What it takes to refer to a block. */
const HOLDER_BYTES = 300;

export class PackedValues {
  readonly length: number;
  /** Where each value ends, or the complement of that where there is none; then the values. */
  private readonly block: Buffer;

  constructor(values: readonly (Uint8Array | null)[]) {
    this.length = values.length;
    let end = values.length * END_BYTES;
    let size = end;
    for (const value of values) size += value?.length ?? 0;
    // Not of a pool, which would be there as long as any of its blocks.
    const block = Buffer.allocUnsafeSlow(size);
    for (let index = 0; index < values.length; index++) {
      const value = values[index] ?? null;
      if (value !== null) block.set(value, end);
      end += value?.length ?? 0;
      block.writeInt32LE(value === null ? ~end : end, index * END_BYTES);
    }
    this.block = block;
  }

  /** What it takes in memory. */
  get bytes(): number {
    return HOLDER_BYTES + this.block.length;
  }

  at(index: number): Uint8Array | null {
    if (index >= this.length) return null;
    const { block } = this;
    const end = block.readInt32LE(index * END_BYTES);
    if (end < 0) return null;
    const start = index === 0 ? this.length * END_BYTES : this.endOf(index - 1);
    return new Uint8Array(block.buffer, block.byteOffset + start, end - start);
  }

  private endOf(index: number): number {
    const end = this.block.readInt32LE(index * END_BYTES);
    return end < 0 ? ~end : end;
  }
}
