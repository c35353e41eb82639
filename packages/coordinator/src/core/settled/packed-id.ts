/**
 * A task id in 16 bytes: 6 bits of partition and 21 of the hour in the first word, sixteen characters of 6 bits in the
 * other three. Nothing is lost: whatever `TaskId.is` accepts comes back as it was.
 */
import type { TaskId } from "@weft/protocol";

/** Words of 32 bits that a packed id takes. */
export const ID_WORDS = 4;

const ALPHABET = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_-";
/** From the code of a character to its digit; of the first 36 the hour is made. */
const DIGITS = new Uint8Array(128);
const CODES = new Uint8Array(64);
for (let digit = 0; digit < ALPHABET.length; digit++) {
  CODES[digit] = ALPHABET.charCodeAt(digit);
  DIGITS[ALPHABET.charCodeAt(digit)] = digit;
}
const HOUR_BITS = 21;
const HOUR_MASK = 0x1fffff;

const digitAt = (id: string, at: number): number => DIGITS[id.charCodeAt(at)] ?? 0;

/** Writes the id's four words from `at` on. */
export function packId(id: TaskId, words: Uint32Array, at: number): void {
  const partition = (id.charCodeAt(0) - 48) * 10 + id.charCodeAt(1) - 48;
  const hour = ((digitAt(id, 2) * 36 + digitAt(id, 3)) * 36 + digitAt(id, 4)) * 36 + digitAt(id, 5);
  words[at] = (partition << HOUR_BITS) | hour;
  words[at + 1] = fiveAndTwoBits(id, 6, digitAt(id, 11) >>> 4);
  const middle =
    digitAt(id, 12) * 0x40000 + digitAt(id, 13) * 0x1000 + digitAt(id, 14) * 0x40 + digitAt(id, 15);
  words[at + 2] = ((digitAt(id, 11) & 15) << 28) | (middle << 4) | (digitAt(id, 16) >>> 2);
  words[at + 3] = ((digitAt(id, 16) & 3) << 30) | fiveOf(id, 17);
}

function fiveOf(id: string, at: number): number {
  return (
    (digitAt(id, at) << 24) |
    (digitAt(id, at + 1) << 18) |
    (digitAt(id, at + 2) << 12) |
    (digitAt(id, at + 3) << 6) |
    digitAt(id, at + 4)
  );
}

function fiveAndTwoBits(id: string, at: number, bits: number): number {
  return (fiveOf(id, at) << 2) | bits;
}

export function unpackId(words: Uint32Array, at: number): TaskId {
  const head = words[at] ?? 0;
  const first = words[at + 1] ?? 0;
  const second = words[at + 2] ?? 0;
  const third = words[at + 3] ?? 0;
  const partition = head >>> HOUR_BITS;
  const hour = head & HOUR_MASK;
  const tens = (partition / 10) | 0;
  return String.fromCharCode(
    48 + tens,
    48 + partition - tens * 10,
    code((hour / 46_656) | 0),
    code(((hour / 1_296) | 0) % 36),
    code(((hour / 36) | 0) % 36),
    code(hour % 36),
    code(first >>> 26),
    code(first >>> 20),
    code(first >>> 14),
    code(first >>> 8),
    code(first >>> 2),
    code(((first & 3) << 4) | (second >>> 28)),
    code(second >>> 22),
    code(second >>> 16),
    code(second >>> 10),
    code(second >>> 4),
    code(((second & 15) << 2) | (third >>> 30)),
    code(third >>> 24),
    code(third >>> 18),
    code(third >>> 12),
    code(third >>> 6),
    code(third),
  ) as TaskId;
}

function code(bits: number): number {
  return CODES[bits & 63] ?? 0;
}

/** Spreads the words over 32 bits. The random characters do most of it; ids that count up must spread as well. */
export function hashId(words: Uint32Array, at: number): number {
  let hash = Math.imul((words[at] ?? 0) ^ 0x2c1b3c6d, 0x9e3779b1);
  hash = Math.imul(hash ^ (hash >>> 15) ^ (words[at + 1] ?? 0), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13) ^ (words[at + 2] ?? 0), 0xc2b2ae35);
  hash = Math.imul(hash ^ (hash >>> 16) ^ (words[at + 3] ?? 0), 0x9e3779b1);
  return (hash ^ (hash >>> 15)) >>> 0;
}
