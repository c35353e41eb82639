/**
 * Bytes of a checkpoint, in chunks of bounded size: numbers of variable length, texts, ids, columns. A chunk may end behind
 * any row, and nowhere else.
 *
 * A chunk begins with a checksum of the rest of it, and its number, doubled, with the last bit set in the last one. So one
 * that is damaged, missing, or out of place is found out before anything is read from it.
 */
import { DefectError, type TaskId } from "@weft/protocol";
import { ID_WORDS, packId } from "../settled/packed-id.ts";
import { type Column, IS_BIG_ENDIAN, swapBytes } from "./byte-order.ts";

/** At most a row more: the longest is a task with all the dependencies that one may have, 400 KiB. */
const CHUNK_BYTES = 256 * 1024;
export const HEADER_BYTES = 8;
const VARINT_BYTES_MAX = 8;
const FLOAT_BYTES = 8;
const INT_MAX = 0x7fff_ffff;

export class StateWriter {
  private bytes = new Uint8Array(2 * CHUNK_BYTES);
  private view = new DataView(this.bytes.buffer);
  private at = HEADER_BYTES;
  private chunkCount = 0;
  private readonly words = new Map<string, number>();
  private readonly packed = new Uint32Array(ID_WORDS);

  /** Whether the chunk should end here. */
  get isFull(): boolean {
    return this.at >= CHUNK_BYTES;
  }

  /** What was written since the chunk before. */
  take(isLast: boolean): Uint8Array {
    this.view.setUint32(4, this.chunkCount * 2 + (isLast ? 1 : 0), true);
    this.view.setUint32(0, checksum(this.view, this.at), true);
    const chunk = this.bytes.slice(0, this.at);
    this.chunkCount++;
    this.at = HEADER_BYTES;
    return chunk;
  }

  byte(value: number): void {
    this.reserve(1);
    this.bytes[this.at++] = value;
  }

  flag(value: boolean): void {
    this.byte(value ? 1 : 0);
  }

  /** A whole number from 0. */
  count(value: number): void {
    if (!Number.isSafeInteger(value) || value < 0)
      throw new DefectError(`${value} cannot be a count in a checkpoint`);
    this.reserve(VARINT_BYTES_MAX);
    let rest = value;
    while (rest > INT_MAX) {
      this.bytes[this.at++] = (rest % 0x80) | 0x80;
      rest = Math.floor(rest / 0x80);
    }
    while (rest > 0x7f) {
      this.bytes[this.at++] = (rest & 0x7f) | 0x80;
      rest >>>= 7;
    }
    this.bytes[this.at++] = rest;
  }

  countOrNull(value: number | null): void {
    this.count(value === null ? 0 : value + 1);
  }

  /** Any whole number: small ones of either sign are short. */
  whole(value: number): void {
    this.count(value >= 0 ? value * 2 : -value * 2 - 1);
  }

  float(value: number): void {
    this.reserve(FLOAT_BYTES);
    this.view.setFloat64(this.at, value, true);
    this.at += FLOAT_BYTES;
  }

  /** By its code units, so that whatever a text may hold comes back. */
  text(text: string): void {
    let isWide = false;
    for (let i = 0; i < text.length && !isWide; i++) isWide = text.charCodeAt(i) > 0xff;
    this.count(text.length * 2 + (isWide ? 1 : 0));
    this.reserve(text.length * 2);
    for (let i = 0; i < text.length; i++) {
      const code = text.charCodeAt(i);
      this.bytes[this.at++] = code & 0xff;
      if (isWide) this.bytes[this.at++] = code >>> 8;
    }
  }

  textOrNull(text: string | null): void {
    this.flag(text !== null);
    if (text !== null) this.text(text);
  }

  /** A text that comes again and again: written once, and named by a number from then on. */
  word(text: string): void {
    const known = this.words.get(text);
    if (known !== undefined) return this.count(known + 1);
    this.words.set(text, this.words.size);
    this.count(0);
    this.text(text);
  }

  wordOrNull(text: string | null): void {
    this.flag(text !== null);
    if (text !== null) this.word(text);
  }

  id(id: TaskId): void {
    packId(id, this.packed, 0);
    this.reserve(ID_WORDS * 4);
    for (let i = 0; i < ID_WORDS; i++, this.at += 4) this.view.setUint32(this.at, this.packed[i] ?? 0, true);
  }

  /** A part of a column. */
  columns(column: Column, from: number, to: number): void {
    const size = column.BYTES_PER_ELEMENT;
    const bytes = (to - from) * size;
    this.reserve(bytes);
    this.bytes.set(new Uint8Array(column.buffer, column.byteOffset + from * size, bytes), this.at);
    if (IS_BIG_ENDIAN) swapBytes(this.bytes.subarray(this.at, this.at + bytes), size);
    this.at += bytes;
  }

  private reserve(bytes: number): void {
    if (this.at + bytes <= this.bytes.length) return;
    const before = this.bytes;
    this.bytes = new Uint8Array(Math.max(2 * before.length, this.at + bytes));
    this.bytes.set(before);
    this.view = new DataView(this.bytes.buffer);
  }
}

/** Of what is behind the checksum. Each step can be undone, so that damage within four bytes never goes unseen. */
export function checksum(view: DataView, end: number): number {
  let sum = end;
  let at = 4;
  for (; at + 4 <= end; at += 4) {
    sum = Math.imul(sum ^ view.getUint32(at, true), 0x9e3779b1);
    sum ^= sum >>> 15;
  }
  for (; at < end; at++) sum = Math.imul(sum ^ view.getUint8(at), 0x85ebca6b);
  return (sum ^ (sum >>> 13)) >>> 0;
}
