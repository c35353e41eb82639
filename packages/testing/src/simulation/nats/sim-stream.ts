/**
 * A stream: what leads it takes appends, guards them and acknowledges them, and feeds its consumers.
 *
 * S1 An append is acknowledged after it is stored, on whatever subject its sender named.
 * S2 On one replica an append is stored when it arrives. On several it first goes through the replicas; a guarded append
 *    is refused while one with the same guard is on that way.
 */
import type { SimLoop } from "../loop.ts";
import { type ApiError, FULL, IN_FLIGHT, TOO_LARGE, wrongLastSequence } from "./api-error.ts";
import { Lane } from "./lane.ts";
import { LogStore, storedBytes } from "./log-store.ts";
import { headerBytes, json, type SimMessage } from "./message.ts";
import { type ConsumerOptions, PushConsumer } from "./push-consumer.ts";
import { matches } from "./subject-pattern.ts";

export type StreamConfig = {
  readonly subjects: readonly string[];
  /** @default no limit */
  readonly bytesMax?: number;
  /** @default 1 MiB */
  readonly messageBytesMax?: number;
  readonly metadata?: Readonly<Record<string, string>>;
};

export type StreamHost = {
  readonly loop: SimLoop;
  readonly replicas: number;
  /** The wall clock of the node that leads. */
  wallMs(): number;
  /** How long an append takes through the replicas. */
  commitMs(): number;
  send(source: string, message: SimMessage, to: string): void;
  hasInterest(subject: string): boolean;
};

const EXPECTED = "Nats-Expected-Last-Subject-Sequence";
const EXPECTED_SUBJECT = "Nats-Expected-Last-Subject-Sequence-Subject";
const MESSAGE_BYTES_MAX = 1024 * 1024;

type Proposal = { readonly message: SimMessage; readonly stampMs: number; readonly guard: string | null };

export class SimStream {
  readonly name: string;
  readonly store: LogStore = new LogStore();
  readonly consumers: Set<PushConsumer> = new Set();
  private readonly host: StreamHost;
  private readonly proposals: Proposal[] = [];
  private readonly commits: Lane;
  private settings: Required<StreamConfig>;

  constructor(name: string, config: StreamConfig, host: StreamHost) {
    this.name = name;
    this.host = host;
    this.commits = new Lane(host.loop);
    this.settings = { bytesMax: -1, messageBytesMax: MESSAGE_BYTES_MAX, metadata: {}, ...config };
  }

  get config(): Required<StreamConfig> {
    return this.settings;
  }

  configure(change: Partial<StreamConfig>): void {
    this.settings = { ...this.settings, ...change };
  }

  captures(subject: string): boolean {
    return this.settings.subjects.some((pattern) => matches(pattern, subject));
  }

  append(message: SimMessage): void {
    const refused = this.refusal(message);
    if (refused !== null) return this.answer(message, { error: refused, stream: this.name, seq: 0 });
    const proposal = { message, stampMs: this.host.wallMs(), guard: guardOf(message) };
    if (this.host.replicas === 1) return this.commit(proposal);
    this.proposals.push(proposal);
    this.commits.send(this.host.commitMs(), () => {
      const next = this.proposals.shift();
      if (next !== undefined) this.commit(next);
    });
  }

  follow(options: ConsumerOptions): PushConsumer {
    const { loop, send, hasInterest } = this.host;
    const remove = (gone: PushConsumer): void => this.removeConsumer(gone);
    const consumer = new PushConsumer({ loop, store: this.store, send, hasInterest, remove }, options);
    this.consumers.add(consumer);
    loop.after(0, () => consumer.pump());
    return consumer;
  }

  removeConsumer(consumer: PushConsumer): void {
    consumer.stop();
    this.consumers.delete(consumer);
  }

  purge(what: { readonly belowSeq: number } | { readonly subject: string }): number {
    const purged =
      "subject" in what ? this.store.purgeSubject(what.subject) : this.store.purgeBelow(what.belowSeq);
    for (const consumer of this.consumers) consumer.recount();
    return purged;
  }

  private commit({ message, stampMs }: Proposal): void {
    const { seq } = this.store.append(message, stampMs);
    for (const consumer of this.consumers) consumer.appended();
    this.answer(message, { stream: this.name, seq });
  }

  private refusal(message: SimMessage): ApiError | null {
    const { bytesMax, messageBytesMax } = this.settings;
    if (message.data.length + headerBytes(message.headers) > messageBytesMax) return TOO_LARGE;
    const guard = guardOf(message);
    if (guard !== null) {
      if (this.proposals.some((each) => each.guard === guard || each.message.subject === guard))
        return IN_FLIGHT;
      const last = this.store.lastSeqOf(guard);
      if (Number(message.headers?.get(EXPECTED)) !== last) return wrongLastSequence(last);
    }
    let bytes = this.store.bytes + storedBytes(message);
    for (const each of this.proposals) bytes += storedBytes(each.message);
    return bytesMax > 0 && bytes > bytesMax ? FULL : null;
  }

  private answer({ reply }: SimMessage, ack: unknown): void {
    if (reply === "") return;
    const answer = { subject: reply, data: json(ack), reply: "", headers: null };
    this.host.send(`acks ${this.name}`, answer, reply);
  }
}

/** The subject whose last sequence an append expects; null where it expects nothing. */
function guardOf(message: SimMessage): string | null {
  if (message.headers === null || !message.headers.has(EXPECTED)) return null;
  return message.headers.get(EXPECTED_SUBJECT) || message.subject;
}
