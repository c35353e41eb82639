/** Random characters of tokens, one by one: for a text that is made of them and of others at once, as a task id is. */
import { randomFillSync } from "node:crypto";

const CHARACTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-";
/** So many are drawn at once: to ask for them takes longer than to have them. */
const POOL_BYTES = 4_096;

const pool = new Uint8Array(POOL_BYTES);
let at = POOL_BYTES;

/** The code of one of A-Z a-z 0-9 _ -. */
export function randomCharacter(): number {
  if (at === POOL_BYTES) refill();
  return pool[at++] ?? 0;
}

function refill(): void {
  randomFillSync(pool);
  // There are 64 of them, so each is as likely as the others.
  for (let i = 0; i < POOL_BYTES; i++) pool[i] = CHARACTERS.charCodeAt((pool[i] ?? 0) & 63);
  at = 0;
}
