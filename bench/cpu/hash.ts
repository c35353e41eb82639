/** The work: SHA-256 of a megabyte, again and again. */
import { createHash } from "node:crypto";

const MEGABYTE = new Uint8Array(1024 ** 2).fill(7);

export function hashed(megabytes: number): string {
  const hash = createHash("sha256");
  for (let done = 0; done < megabytes; done++) hash.update(MEGABYTE);
  return hash.digest("hex");
}
