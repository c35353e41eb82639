/**
 * What messages from a leader to one worker or client begin with. They are numbered per (epoch, receiver), so that it is
 * known which of them were lost.
 */
import { WIRE_VERSION } from "./versions.ts";
import { readBytes, type WireCursor } from "./wire-cursor.ts";
import { checkVersion, type Read } from "./wire-reader.ts";
import { type WireWriter, written } from "./wire-writer.ts";

export type MessageHead = { readonly epoch: number; readonly number: number };

/** Version, epoch and number. */
const HEAD_FIELDS = 3;

/** @param fields How many `writeBody` writes. */
export function encodeNumbered(
  { epoch, number }: MessageHead,
  fields: number,
  writeBody: (out: WireWriter) => void,
): Uint8Array {
  return written((out) => {
    out.list(HEAD_FIELDS + fields);
    out.count(WIRE_VERSION);
    out.count(epoch);
    out.count(number);
    writeBody(out);
  });
}

/** @param fields How many `readBody` reads; a newer writer may have added some. */
export function decodeNumbered<T extends object>(
  data: Uint8Array,
  fields: number,
  readBody: (from: WireCursor) => T,
): Read<MessageHead & T> {
  return readBytes(data, (from) => {
    const length = from.list("message");
    checkVersion(from.count("version"));
    const further = from.beyond(length, "message", HEAD_FIELDS + fields);
    const epoch = from.count("epoch");
    const number = from.count("number");
    const body = readBody(from);
    from.rest(further);
    return { epoch, number, ...body };
  });
}
