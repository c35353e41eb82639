/** Columns are copied as they lie in memory; the bytes of a checkpoint are little-endian wherever it is written. */
export type Column = Uint32Array | Uint16Array;

export const IS_BIG_ENDIAN: boolean = new Uint8Array(Uint16Array.of(1).buffer)[0] === 0;

/** Turns each number of so many bytes round, in place. */
export function swapBytes(bytes: Uint8Array, size: number): void {
  for (let at = 0; at < bytes.length; at += size) bytes.subarray(at, at + size).reverse();
}
