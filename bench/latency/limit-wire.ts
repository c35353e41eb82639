/**
 * The limit: the same messages through the same server, in the same three processes, with nothing of Weft in between. A
 * message is a few bytes that say what it is and which task it is about, filled up to what Weft's own messages take.
 */
import { connect, type NatsConnection } from "@nats-io/transport-node";
import type { Run } from "./contract.ts";

export const STREAM = "LIMIT";
export const LOG = "limit.log.>";
export const LOG_SUBMIT = "limit.log.submit";
export const LOG_FINISH = "limit.log.finish";
export const TO_WORKER = "limit.worker";
export const TO_CLIENT = "limit.client";
export const PROGRESS = "limit.progress";

export const KIND = { round_trip: 1, first: 2, second: 3, progress: 4 } as const;
const FIRST_KIND: Readonly<Record<Run, number>> = {
  round_trip: KIND.round_trip,
  handoff: KIND.first,
  progress: KIND.progress,
};

/** About what Weft's records and messages of one small task take. */
const MESSAGE_BYTES = 64;
const INDEX_AT = 4;

export function messageFor(run: Run, index: number): Uint8Array {
  const bytes = new Uint8Array(MESSAGE_BYTES);
  bytes[0] = FIRST_KIND[run];
  new DataView(bytes.buffer).setUint32(INDEX_AT, index);
  return bytes;
}

/** The message of the second task of a pair, from that of the first. */
export function secondOf(message: Uint8Array): Uint8Array {
  const bytes = Uint8Array.from(message);
  bytes[0] = KIND.second;
  return bytes;
}

export function indexOf(message: Uint8Array): number {
  return new DataView(message.buffer, message.byteOffset).getUint32(INDEX_AT);
}

export async function connectBare(server: string, role: string): Promise<NatsConnection> {
  return connect({ name: `limit ${role}`, servers: server, inboxPrefix: `_I.limit.${role}` });
}

/** The second letter of an acknowledgement: `{"stream": …` and not `{"error": …`. */
const ACKNOWLEDGED = "s".charCodeAt(0);

/** Raw appends with acknowledgement, on one reply inbox; they are counted, nothing more. */
export class Appends {
  private readonly nats: NatsConnection;
  private readonly reply: string;
  private sent = 0;
  private acknowledged = 0;

  constructor(nats: NatsConnection, role: string) {
    this.nats = nats;
    this.reply = `_I.limit.${role}.acks`;
    nats.subscribe(this.reply, {
      callback: (error, { data }) => {
        if (error === null && data[2] === ACKNOWLEDGED) this.acknowledged++;
      },
    });
  }

  append(subject: string, data: Uint8Array): void {
    this.sent++;
    this.nats.publish(subject, data, { reply: this.reply });
  }

  /** What was sent must have been stored: a limit that loses messages is none. */
  async assertStored(): Promise<void> {
    await this.nats.flush();
    if (this.acknowledged !== this.sent)
      throw new Error(`the log acknowledged ${this.acknowledged} of ${this.sent} appends`);
  }
}
