/**
 * The limit of throughput: the same bytes through the same server in the same three processes, packed into records as
 * Weft packs them, with nothing of Weft in between. A record is the index of its first task, their count, and their bytes.
 */
export const HEAD_BYTES = 8;
/** What Weft's records take of a task besides its argument, and of its finish. */
export const TASK_BYTES = 48;
export const FINISH_BYTES = 32;
/** As Weft's own. */
export const RECORD_BYTES_TARGET = 256 * 1024;
export const WINDOW = 4;

export function recordOf(first: number, count: number, bytesEach: number): Uint8Array {
  const bytes = new Uint8Array(HEAD_BYTES + count * bytesEach);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, first);
  view.setUint32(4, count);
  return bytes;
}

export function headOf(record: Uint8Array): { readonly first: number; readonly count: number } {
  const view = new DataView(record.buffer, record.byteOffset);
  return { first: view.getUint32(0), count: view.getUint32(4) };
}
