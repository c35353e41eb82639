/** Messages as they travel. */
import { headers, type MsgHdrs } from "@nats-io/transport-node";

export type SimMessage = {
  readonly subject: string;
  readonly data: Uint8Array;
  /** Empty where there is none. */
  readonly reply: string;
  readonly headers: MsgHdrs | null;
};

export const NO_DATA: Uint8Array = new Uint8Array(0);

const encoder = new TextEncoder();

export function bytesOf(text: string): Uint8Array {
  return encoder.encode(text);
}

export function ownHeaders(sent: MsgHdrs): MsgHdrs {
  const own = headers();
  for (const name of sent.keys()) for (const value of sent.values(name)) own.append(name, value);
  return own;
}

/** What headers take on the wire. */
export function headerBytes(sent: MsgHdrs | null): number {
  if (sent === null) return 0;
  let bytes = "NATS/1.0\r\n\r\n".length;
  for (const name of sent.keys())
    for (const value of sent.values(name)) bytes += encoder.encode(`${name}: ${value}\r\n`).length;
  return bytes;
}

export function json(value: unknown): Uint8Array {
  return encoder.encode(JSON.stringify(value));
}
