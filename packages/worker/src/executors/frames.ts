/**
 * Messages between a worker and a process of its own, on a pipe: four bytes of length, four bytes of the head's length,
 * the head as JSON, and bytes of one value as they are. Arguments and dependency values go one after the other, and a large
 * one in several frames, so that every frame is bounded.
 *
 * Node's own channel between processes is not used: what it cannot read ends whoever reads it, and code in the process
 * may write anything there.
 */
import { decodeValue, encodeValue, VALUE_BYTES_MAX } from "@weft/protocol";
import { type FromInside, readFromInside, type ToInside } from "./messages.ts";

/** A part of a value, and room for the longest head: a progress report or a log line, as JSON. */
export const FRAME_BYTES_MAX: number = 1024 * 1024;
export const PART_BYTES: number = 512 * 1024;
/** What is before the last part of a value. */
const PART = { type: "part" } as const;
const PREFIX_BYTES = 8;
const NO_BYTES = new Uint8Array();

type Frame = { readonly head: unknown; readonly tail: Uint8Array };

/** The frames of a head with a value. */
function framesOf(head: unknown, value: Uint8Array = NO_BYTES): Uint8Array[] {
  const frames: Uint8Array[] = [];
  let from = 0;
  for (; value.length - from > PART_BYTES; from += PART_BYTES)
    frames.push(encodeFrame(PART, value.subarray(from, from + PART_BYTES)));
  frames.push(encodeFrame(head, value.subarray(from)));
  return frames;
}

function encodeFrame(head: unknown, tail: Uint8Array): Uint8Array {
  const text = Buffer.from(JSON.stringify(head));
  const length = PREFIX_BYTES + text.length + tail.length;
  if (length > FRAME_BYTES_MAX) throw new RangeError(`a message of ${length} bytes is too long`);
  const frame = Buffer.allocUnsafe(length);
  frame.writeUInt32BE(length, 0);
  frame.writeUInt32BE(text.length, 4);
  frame.set(text, PREFIX_BYTES);
  frame.set(tail, PREFIX_BYTES + text.length);
  return frame;
}

/** Cuts what a pipe brings into frames. Null where it brought what is none: nothing after that can be read. */
export class FrameReader {
  private chunks: Uint8Array[] = [];
  private bytes = 0;
  private parts: Uint8Array[] = [];
  private partBytes = 0;

  read(chunk: Uint8Array): Frame[] | null {
    this.chunks.push(chunk);
    this.bytes += chunk.length;
    const frames: Frame[] = [];
    for (let length = this.nextLength(); this.bytes >= length; length = this.nextLength()) {
      if (length < PREFIX_BYTES || length > FRAME_BYTES_MAX) return null;
      const frame = frameOf(this.takeBytes(length));
      if (frame === null || this.partBytes + frame.tail.length > VALUE_BYTES_MAX) return null;
      if ((frame.head as { readonly type?: unknown } | null)?.type === PART.type) {
        this.parts.push(frame.tail);
        this.partBytes += frame.tail.length;
      } else frames.push({ ...frame, tail: this.wholeWith(frame.tail) });
    }
    return this.nextLength() <= FRAME_BYTES_MAX ? frames : null;
  }

  /** The value that ends with this part. */
  private wholeWith(last: Uint8Array): Uint8Array {
    if (this.parts.length === 0) return last;
    const whole = Buffer.concat([...this.parts, last]);
    this.parts = [];
    this.partBytes = 0;
    return whole;
  }

  /** Of the frame that begins here; that of its prefix as long as that has not come whole. */
  private nextLength(): number {
    if (this.bytes < PREFIX_BYTES) return PREFIX_BYTES;
    const [first] = this.chunks;
    if (first === undefined || first.length < PREFIX_BYTES) this.chunks = [Buffer.concat(this.chunks)];
    const head = this.chunks[0] ?? NO_BYTES;
    return new DataView(head.buffer, head.byteOffset).getUint32(0);
  }

  private takeBytes(length: number): Uint8Array {
    const whole = this.chunks.length === 1 ? this.chunks[0] : undefined;
    const all = whole ?? Buffer.concat(this.chunks);
    this.bytes -= length;
    this.chunks = this.bytes > 0 ? [all.subarray(length)] : [];
    return all.subarray(0, length);
  }
}

function frameOf(bytes: Uint8Array): Frame | null {
  const headEnd = PREFIX_BYTES + new DataView(bytes.buffer, bytes.byteOffset).getUint32(4);
  if (headEnd > bytes.length) return null;
  try {
    const text = Buffer.from(bytes.buffer, bytes.byteOffset + PREFIX_BYTES, headEnd - PREFIX_BYTES);
    return { head: JSON.parse(text.toString()), tail: bytes.subarray(headEnd) };
  } catch {
    return null;
  }
}

/** The frames of a message, in order. */
export function framesToInside(message: ToInside): Uint8Array[] {
  if (message.type === "stop") return framesOf(message);
  const { deps, args, ...facts } = message.input;
  return [
    ...deps.flatMap((dep) => framesOf({ type: "dep", none: dep === null }, dep ?? NO_BYTES)),
    ...framesOf({ ...message, input: facts }, args),
  ];
}

/** Puts the frames of messages to the inside together again. They come from the worker: they are as they should be. */
export class InsideReader {
  private readonly frames = new FrameReader();
  private deps: (Uint8Array | null)[] = [];

  read(chunk: Uint8Array): ToInside[] {
    const messages: ToInside[] = [];
    for (const { head, tail } of this.frames.read(chunk) ?? []) {
      const message = head as ToInside | { readonly type: "dep"; readonly none: boolean };
      if (message.type === "dep") this.deps.push(message.none ? null : tail);
      else if (message.type === "stop") messages.push(message);
      else {
        messages.push({ ...message, input: { ...message.input, args: tail, deps: this.deps } });
        this.deps = [];
      }
    }
    return messages;
  }
}

/** The frames of a message, in order. Throws where it has what no frame can carry. */
export function framesFromInside(message: FromInside): Uint8Array[] {
  switch (message.type) {
    case "progress":
      return framesOf(message);
    case "log": {
      const { data, ...head } = message;
      return framesOf(head, data === undefined ? NO_BYTES : encodeValue(data, LOGGED, PART_BYTES));
    }
    case "uncaught":
      return framesOf({ ...message, value: null }, message.value);
    case "ended": {
      const { value, ...end } = message.end;
      return framesOf({ ...message, end: { ...end, none: value === null } }, value ?? NO_BYTES);
    }
  }
}

const LOGGED = "the data of a log line";

/** The message of a frame, or null where it is none. */
export function messageOf({ head, tail }: Frame): FromInside | null {
  try {
    // A value is kept until the log has it: alone, not with all that its pipe brought in one go.
    const value = (): Uint8Array => Uint8Array.from(tail);
    const given = head as {
      readonly type?: unknown;
      readonly end?: { readonly outcome?: unknown; readonly none?: unknown; readonly failure?: unknown };
    };
    switch (given.type) {
      case "log":
        return readFromInside({ ...given, data: tail.length === 0 ? undefined : decodeValue(tail) });
      case "uncaught":
        return readFromInside({ ...given, value: value() });
      case "ended":
        return readFromInside({
          ...given,
          end: {
            outcome: given.end?.outcome,
            value: given.end?.none === true ? null : value(),
            failure: given.end?.failure,
          },
        });
      default:
        return readFromInside(given);
    }
  } catch {
    return null;
  }
}
