/** The streams of a real server. */
import {
  AckPolicy,
  DeliverPolicy,
  type JetStreamManager,
  jetstreamManager,
  type StoredMsg,
} from "@nats-io/jetstream";
import type { NatsConnection } from "@nats-io/transport-node";
import { nanoid } from "nanoid";
import type { FollowOptions, StoredMessage, Stream, StreamInfo } from "./stream.ts";

const NANOS_PER_MS = 1_000_000;
/** A consumer whose reader is gone is removed by the server after this. */
const INACTIVE_MS = 30_000;
const MESSAGE_NOT_FOUND = 10037;

export class JetStreamStream implements Stream {
  readonly name: string;
  private readonly nats: NatsConnection;

  constructor(nats: NatsConnection, name: string) {
    this.nats = nats;
    this.name = name;
  }

  async info(): Promise<StreamInfo> {
    const { config, state } = await (await this.manager()).streams.info(this.name);
    return {
      firstSeq: state.first_seq,
      lastSeq: state.last_seq,
      bytes: state.bytes,
      bytesMax: config.max_bytes,
      metadata: config.metadata ?? {},
    };
  }

  message(seq: number): Promise<StoredMessage | null> {
    return this.get({ seq });
  }

  lastMessage(subject: string): Promise<StoredMessage | null> {
    return this.get({ last_by_subj: subject });
  }

  async subjects(pattern: string): Promise<readonly string[]> {
    const manager = await this.manager();
    const { state } = await manager.streams.info(this.name, { subjects_filter: pattern });
    return Object.keys(state.subjects ?? {});
  }

  async follow({ deliverTo, fromSeq, heartbeatMs }: FollowOptions): Promise<number> {
    const info = await (await this.manager()).consumers.add(this.name, {
      name: `weft-${nanoid(12)}`,
      deliver_subject: deliverTo,
      deliver_policy: DeliverPolicy.StartSequence,
      opt_start_seq: fromSeq,
      ack_policy: AckPolicy.None,
      flow_control: true,
      idle_heartbeat: heartbeatMs * NANOS_PER_MS,
      inactive_threshold: INACTIVE_MS * NANOS_PER_MS,
      mem_storage: true,
      num_replicas: 1,
    });
    return info.num_pending;
  }

  async purge(what: { readonly belowSeq: number } | { readonly subject: string }): Promise<void> {
    const request = "subject" in what ? { filter: what.subject } : { seq: what.belowSeq };
    await (await this.manager()).streams.purge(this.name, request);
  }

  async configure(change: {
    readonly bytesMax?: number;
    readonly metadata?: Readonly<Record<string, string>>;
  }): Promise<void> {
    const manager = await this.manager();
    const { config } = await manager.streams.info(this.name);
    await manager.streams.update(this.name, {
      max_bytes: change.bytesMax ?? config.max_bytes,
      metadata: { ...config.metadata, ...change.metadata },
    });
  }

  private manager(): Promise<JetStreamManager> {
    return jetstreamManager(this.nats, { checkAPI: false });
  }

  private async get(query: { seq: number } | { last_by_subj: string }): Promise<StoredMessage | null> {
    try {
      const found = await (await this.manager()).streams.getMessage(this.name, query);
      return found === null ? null : storedOf(found);
    } catch (error) {
      if (apiCode(error) === MESSAGE_NOT_FOUND) return null;
      throw error;
    }
  }
}

function storedOf(found: StoredMsg): StoredMessage {
  return { seq: found.seq, subject: found.subject, data: dataOf(found), stampMs: found.time.getTime() };
}

/** nats.js decodes base64 one character at a time, which takes 5 ms for a chunk of 256 KiB; the text is at hand. */
function dataOf(found: StoredMsg): Uint8Array {
  const { smr } = found as { smr?: { message?: { data?: unknown } } };
  const text = smr?.message?.data;
  if (typeof text !== "string") return found.data;
  const { buffer, byteOffset, length } = Buffer.from(text, "base64");
  return new Uint8Array(buffer, byteOffset, length);
}

/** JetStream's error code; 0 for anything else. */
export function apiCode(error: unknown): number {
  if (typeof error !== "object" || error === null) return 0;
  const { code } = error as { code?: unknown };
  return typeof code === "number" ? code : 0;
}
