/** A stream as a shell sees it: everything is a request to the server, and can be lost like one. */
import { JetStreamApiError } from "@nats-io/jetstream";
import { RequestError } from "@nats-io/transport-node";
import type { FollowOptions, StoredMessage, Stream, StreamInfo } from "@weft/transport";
import type { ApiError } from "./api-error.ts";
import { json } from "./message.ts";
import type { SimBus } from "./sim-bus.ts";

/** What nats.js gives a request to JetStream. */
const TIMEOUT_MS = 5_000;
const INACTIVE_MS = 30_000;
const NANOS_PER_MS = 1_000_000;
const MESSAGE_NOT_FOUND = 10037;

type Info = {
  readonly config: { readonly max_bytes: number; readonly metadata: Readonly<Record<string, string>> };
  readonly state: {
    readonly first_seq: number;
    readonly last_seq: number;
    readonly bytes: number;
    readonly subjects?: Readonly<Record<string, number>>;
  };
};
type Found = {
  readonly message: {
    readonly seq: number;
    readonly subject: string;
    readonly data: string;
    readonly stampMs: number;
  };
};

export class SimStreamPort implements Stream {
  readonly name: string;
  private readonly bus: SimBus;

  constructor(bus: SimBus, name: string) {
    this.bus = bus;
    this.name = name;
  }

  async info(): Promise<StreamInfo> {
    const { config, state } = await this.ask<Info>("STREAM.INFO");
    return {
      firstSeq: state.first_seq,
      lastSeq: state.last_seq,
      bytes: state.bytes,
      bytesMax: config.max_bytes,
      metadata: config.metadata,
    };
  }

  message(seq: number): Promise<StoredMessage | null> {
    return this.get({ seq });
  }

  lastMessage(subject: string): Promise<StoredMessage | null> {
    return this.get({ last_by_subj: subject });
  }

  async subjects(pattern: string): Promise<readonly string[]> {
    const { state } = await this.ask<Info>("STREAM.INFO", { subjects_filter: pattern });
    return Object.keys(state.subjects ?? {});
  }

  async follow({ deliverTo, fromSeq, heartbeatMs }: FollowOptions): Promise<number> {
    const name = `weft-${this.bus.process.entropy.token(12)}`;
    const config = {
      deliver_subject: deliverTo,
      opt_start_seq: fromSeq,
      idle_heartbeat: heartbeatMs * NANOS_PER_MS,
      inactive_threshold: INACTIVE_MS * NANOS_PER_MS,
    };
    const created = await this.ask<{ num_pending: number }>("CONSUMER.CREATE", { config }, `.${name}`);
    return created.num_pending;
  }

  async purge(what: { readonly belowSeq: number } | { readonly subject: string }): Promise<void> {
    await this.ask("STREAM.PURGE", "subject" in what ? { filter: what.subject } : { seq: what.belowSeq });
  }

  async configure(change: {
    readonly bytesMax?: number;
    readonly metadata?: Readonly<Record<string, string>>;
  }): Promise<void> {
    const { config } = await this.ask<Info>("STREAM.INFO");
    await this.ask("STREAM.UPDATE", {
      max_bytes: change.bytesMax ?? config.max_bytes,
      metadata: { ...config.metadata, ...change.metadata },
    });
  }

  private async get(query: { seq: number } | { last_by_subj: string }): Promise<StoredMessage | null> {
    try {
      const { message } = await this.ask<Found>("STREAM.MSG.GET", query);
      const { seq, subject, stampMs } = message;
      return { seq, subject, data: Uint8Array.from(Buffer.from(message.data, "base64")), stampMs };
    } catch (error) {
      if (error instanceof JetStreamApiError && error.code === MESSAGE_NOT_FOUND) return null;
      throw error;
    }
  }

  private async ask<T>(verb: string, payload: unknown = {}, more = ""): Promise<T> {
    const answer = await this.request(`$JS.API.${verb}.${this.name}${more}`, json(payload));
    const { error } = answer as { error?: ApiError };
    if (error !== undefined) throw new JetStreamApiError(error);
    return answer as T;
  }

  private async request(subject: string, payload: Uint8Array): Promise<unknown> {
    try {
      const { data } = await this.bus.request(subject, payload, { timeout: TIMEOUT_MS });
      return JSON.parse(new TextDecoder().decode(data));
    } catch (error) {
      if (!(error instanceof RequestError && error.isNoResponders())) throw error;
      const notEnabled = new Error("jetstream is not enabled", { cause: error });
      notEnabled.name = "JetStreamNotEnabled";
      throw notEnabled;
    }
  }
}
