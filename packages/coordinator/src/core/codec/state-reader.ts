/** Reads what `StateWriter` wrote. Whatever cannot be so is refused with a `MalformedError`. */
import { MalformedError, type TaskId } from "@weft/protocol";
import { ID_WORDS, unpackId } from "../settled/packed-id.ts";
import { type Column, IS_BIG_ENDIAN, swapBytes } from "./byte-order.ts";
import { checksum, HEADER_BYTES } from "./state-writer.ts";

const FLOAT_BYTES = 8;
/** Of a text that is made at once: a call takes no more arguments than fit on the stack. */
const TEXT_PART = 4_096;
/** Behind seven bytes of seven bits there are four left of 53. */
const SCALE_MAX = 0x2_0000_0000_0000;

export class StateReader {
  private bytes: Uint8Array = new Uint8Array(0);
  private view: DataView = new DataView(this.bytes.buffer);
  private at = 0;
  private chunkCount = 0;
  /** Whether the chunk at hand is the last one. */
  isLast = false;
  private readonly words: string[] = [];
  private readonly packed = new Uint32Array(ID_WORDS);

  /** Whether all of the chunk is read: what follows is in the next. */
  get isAtEnd(): boolean {
    return this.at === this.bytes.length;
  }

  open(chunk: Uint8Array): void {
    const view = new DataView(chunk.buffer, chunk.byteOffset, chunk.byteLength);
    if (chunk.length < HEADER_BYTES) refuse("a chunk is too short");
    if (view.getUint32(0, true) !== checksum(view, chunk.length)) refuse("a chunk has changed");
    const number = view.getUint32(4, true);
    if (number >>> 1 !== this.chunkCount) refuse("a chunk is not in its place");
    this.chunkCount++;
    this.isLast = (number & 1) === 1;
    this.bytes = chunk;
    this.view = view;
    this.at = HEADER_BYTES;
  }

  byte(): number {
    return this.bytes[this.at++] ?? refuse("a row ends in the middle");
  }

  flag(): boolean {
    const value = this.byte();
    return value > 1 ? refuse("a flag is neither set nor not") : value === 1;
  }

  count(): number {
    let byte = this.byte();
    if (byte < 0x80) return byte;
    let value = byte & 0x7f;
    for (let scale = 0x80; byte >= 0x80; scale *= 0x80) {
      if (scale > SCALE_MAX) refuse("a number is too long");
      byte = this.byte();
      value += (byte & 0x7f) * scale;
    }
    return Number.isSafeInteger(value) ? value : refuse("a number is too large");
  }

  countOrNull(): number | null {
    const value = this.count();
    return value === 0 ? null : value - 1;
  }

  whole(): number {
    const value = this.count();
    return value % 2 === 0 ? value / 2 : -(value + 1) / 2;
  }

  float(): number {
    this.need(FLOAT_BYTES);
    const value = this.view.getFloat64(this.at, true);
    this.at += FLOAT_BYTES;
    return value;
  }

  /** A number that stands for one of these. */
  oneOf<Value>(values: readonly Value[]): Value {
    return values[this.byte()] ?? refuse("a name is not known");
  }

  text(): string {
    const head = this.count();
    const length = Math.floor(head / 2);
    const isWide = head % 2 === 1;
    this.need(isWide ? length * 2 : length);
    let text = "";
    for (let from = 0; from < length; from += TEXT_PART) {
      const codes = new Uint16Array(Math.min(TEXT_PART, length - from));
      for (let i = 0; i < codes.length; i++)
        codes[i] = isWide ? this.byte() | (this.byte() << 8) : this.byte();
      text += String.fromCharCode(...codes);
    }
    return text;
  }

  textOrNull(): string | null {
    return this.flag() ? this.text() : null;
  }

  word(): string {
    const number = this.count();
    if (number > 0) return this.words[number - 1] ?? refuse("a word is not known");
    const text = this.text();
    this.words.push(text);
    return text;
  }

  wordOrNull(): string | null {
    return this.flag() ? this.word() : null;
  }

  id(): TaskId {
    this.need(ID_WORDS * 4);
    for (let i = 0; i < ID_WORDS; i++, this.at += 4) this.packed[i] = this.view.getUint32(this.at, true);
    return unpackId(this.packed, 0);
  }

  columns(column: Column, from: number, to: number): void {
    const size = column.BYTES_PER_ELEMENT;
    const bytes = (to - from) * size;
    this.need(bytes);
    const part = new Uint8Array(column.buffer, column.byteOffset + from * size, bytes);
    part.set(this.bytes.subarray(this.at, this.at + bytes));
    if (IS_BIG_ENDIAN) swapBytes(part, size);
    this.at += bytes;
  }

  private need(bytes: number): void {
    if (this.at + bytes > this.bytes.length) refuse("a row ends in the middle");
  }
}

export function refuse(what: string): never {
  throw new MalformedError(`the state of a checkpoint cannot be read: ${what}`);
}
