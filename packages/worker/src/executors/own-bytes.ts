/** Bytes in a buffer of their own: with a view, whoever is sent it by a thread is sent all of the memory that it looks into. */
export function ownBytes(bytes: Uint8Array): Uint8Array {
  return bytes.length === bytes.buffer.byteLength ? bytes : Uint8Array.from(bytes);
}
