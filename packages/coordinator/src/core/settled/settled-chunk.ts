/** Some thousands of settled tasks in columns: 50 bytes each, and nothing for the collector of garbage to walk. */
import { OUTCOMES, type Outcome } from "@weft/protocol";
import { refuse, type StateReader } from "../codec/state-reader.ts";
import type { StateWriter } from "../codec/state-writer.ts";
import { hashId, ID_WORDS } from "./packed-id.ts";

export const CHUNK_TASKS = 4_096;

export const COUNT_MAX = 0xffff;

const TWO_TO_32 = 0x1_0000_0000;
const OUTCOME_BITS = 8;

/** Times and sequences have 48 bits, in two columns each. */
export const WIDE = { settledAtMs: 0, submittedSeq: 1, finishSeq: 2 } as const;
const WIDE_COLUMNS = 3;

export type SettledChunk = {
  readonly ids: Uint32Array;
  readonly names: Uint32Array;
  /** Bytes of the value and the outcome, in one word. */
  readonly endings: Uint32Array;
  readonly low: Uint32Array;
  readonly high: Uint16Array;
  /** Places in records: of the arguments, of the value. */
  readonly indices: Uint16Array;
  /** Attempt and tries; `COUNT_MAX` where it is as much or more, which is kept elsewhere then. */
  readonly attempts: Uint16Array;
  /** The filled part: from the oldest that is left to behind the newest. */
  first: number;
  end: number;
};

export function emptyChunk(): SettledChunk {
  return {
    ids: new Uint32Array(CHUNK_TASKS * ID_WORDS),
    names: new Uint32Array(CHUNK_TASKS),
    endings: new Uint32Array(CHUNK_TASKS),
    low: new Uint32Array(CHUNK_TASKS * WIDE_COLUMNS),
    high: new Uint16Array(CHUNK_TASKS * WIDE_COLUMNS),
    indices: new Uint16Array(CHUNK_TASKS * 2),
    attempts: new Uint16Array(CHUNK_TASKS * 2),
    first: 0,
    end: 0,
  };
}

export function bytesOfChunk(chunk: SettledChunk): number {
  const { ids, names, endings, low, high, indices, attempts } = chunk;
  const words = ids.byteLength + names.byteLength + endings.byteLength + low.byteLength;
  return words + high.byteLength + indices.byteLength + attempts.byteLength;
}

export function setEnding(chunk: SettledChunk, at: number, outcome: Outcome, valueBytes: number): void {
  chunk.endings[at] = (valueBytes << OUTCOME_BITS) | OUTCOMES.indexOf(outcome);
}

export function outcomeIn(chunk: SettledChunk, at: number): Outcome {
  return OUTCOMES[(chunk.endings[at] ?? 0) & 0xff] ?? "failed";
}

export function valueBytesIn(chunk: SettledChunk, at: number): number {
  return (chunk.endings[at] ?? 0) >>> OUTCOME_BITS;
}

export function wide(chunk: SettledChunk, at: number, column: number): number {
  const place = at * WIDE_COLUMNS + column;
  return (chunk.high[place] ?? 0) * TWO_TO_32 + (chunk.low[place] ?? 0);
}

export function setWide(chunk: SettledChunk, at: number, column: number, value: number): void {
  const place = at * WIDE_COLUMNS + column;
  chunk.low[place] = value >>> 0;
  chunk.high[place] = Math.floor(value / TWO_TO_32);
}

/** The hash of each id in it, and its slot. */
export function visitHashes(
  { ids, first, end }: SettledChunk,
  number: number,
  each: (hash: number, slot: number) => void,
): void {
  for (let at = first; at < end; at++) each(hashId(ids, at * ID_WORDS), number * CHUNK_TASKS + at);
}

/** How many numbers a task has in each column. */
const COLUMNS = [
  ["ids", ID_WORDS],
  ["names", 1],
  ["endings", 1],
  ["low", WIDE_COLUMNS],
  ["high", WIDE_COLUMNS],
  ["indices", 2],
  ["attempts", 2],
] as const satisfies readonly (readonly [Exclude<keyof SettledChunk, "first" | "end">, number])[];

export function saveChunk(to: StateWriter, chunk: SettledChunk): void {
  const { first, end } = chunk;
  to.count(first);
  to.count(end);
  for (const [column, width] of COLUMNS) to.columns(chunk[column], first * width, end * width);
}

export function loadChunk(from: StateReader): SettledChunk {
  const chunk = emptyChunk();
  chunk.first = from.count();
  chunk.end = from.count();
  if (chunk.first > chunk.end || chunk.end > CHUNK_TASKS) refuse("a chunk of settled tasks is too long");
  for (const [column, width] of COLUMNS) from.columns(chunk[column], chunk.first * width, chunk.end * width);
  return chunk;
}
