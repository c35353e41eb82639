/**
 * A stream: what leads it takes appends, guards them and acknowledges them, and feeds its consumers.
 *
 * S1 An append is acknowledged after it is stored, on whatever subject its sender named.
 * S2 On one replica an append is stored when it arrives. On several it first goes through the replicas; a guarded append
 *    is refused while one with the same guard is on that way.
 * S3 Without a leader nothing is acknowledged. What was on its way when the leader was lost is stored up to some point.
 */
import type { StoredMessage } from "@weft/transport";
import type { Dice } from "../dice.ts";
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

export type AckFaults = {
  /** Share of acknowledgements that never arrive. */
  readonly lostShare: number;
  /** Share of those that come late, and how late at most. */
  readonly lateShare: number;
  readonly lateMsMax: number;
};

export type StreamHost = {
  readonly loop: SimLoop;
  readonly dice: Dice;
  readonly replicas: number;
  /** The wall clock of a node. */
  wallMs(node: number): number;
  /** How long a message takes from one node to another. */
  delayMs(): number;
  ackFaults(): AckFaults;
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
  readonly storedListeners: ((message: StoredMessage) => void)[] = [];
  readonly truncatedListeners: ((lastSeq: number) => void)[] = [];
  /** The node that leads. */
  leader = 0;
  private readonly host: StreamHost;
  private readonly proposals = new Set<Proposal>();
  private readonly commits: Lane;
  private leaderlessUntilMs = 0;
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

  get isLeaderless(): boolean {
    return this.leaderlessUntilMs > this.host.loop.nowMs;
  }

  configure(change: Partial<StreamConfig>): void {
    this.settings = { ...this.settings, ...change };
  }

  captures(subject: string): boolean {
    return this.settings.subjects.some((pattern) => matches(pattern, subject));
  }

  /** Takes a message. False where nobody is there to take it. */
  offer(message: SimMessage): boolean {
    if (!this.isLeaderless) this.append(message);
    else {
      const { dice } = this.host;
      if (dice.chance(0.6)) return false;
      // The old leader still hears it and tells nobody, or the new one does and cannot yet answer.
      if (dice.chance(0.5) && this.refusal(message) === null) this.commit(this.propose(message));
    }
    return true;
  }

  /** From now on, for a while. */
  loseLeader(forMs: number): void {
    const proposals = [...this.proposals];
    this.proposals.clear();
    const stored = this.host.dice.below(proposals.length + 1);
    for (const each of proposals.slice(0, stored)) this.commit(each);
    this.leaderlessUntilMs = Math.max(this.leaderlessUntilMs, this.host.loop.nowMs + forMs);
  }

  loseTail(count: number): void {
    if (this.store.loseTail(count).length === 0) return;
    for (const listener of this.truncatedListeners) listener(this.store.lastSeq);
  }

  follow(options: Omit<ConsumerOptions, "node" | "lagMs">): PushConsumer {
    const node = this.host.dice.below(this.host.replicas);
    // A reader lives on one node, which may be behind the leader.
    const lagMs = (): number => (node === this.leader ? 0 : this.host.delayMs());
    return this.begin({ ...options, node, lagMs });
  }

  removeConsumer(consumer: PushConsumer): void {
    consumer.stop();
    this.consumers.delete(consumer);
  }

  /** Those on a node. In a cluster they begin anew when it is back, as they once did: they live in memory. */
  stopReaders(node: number, untilMs: number | null): void {
    for (const consumer of [...this.consumers]) {
      if (consumer.options.node !== node) continue;
      this.removeConsumer(consumer);
      if (untilMs !== null) this.host.loop.after(untilMs, () => this.begin(consumer.options));
    }
  }

  purge(what: { readonly belowSeq: number } | { readonly subject: string }): number {
    const purged =
      "subject" in what ? this.store.purgeSubject(what.subject) : this.store.purgeBelow(what.belowSeq);
    for (const consumer of this.consumers) consumer.recount();
    return purged;
  }

  private begin(options: ConsumerOptions): PushConsumer {
    const { loop, send, hasInterest } = this.host;
    const remove = (gone: PushConsumer): void => this.removeConsumer(gone);
    const consumer = new PushConsumer({ loop, store: this.store, send, hasInterest, remove }, options);
    this.consumers.add(consumer);
    return consumer;
  }

  private append(message: SimMessage): void {
    const refused = this.refusal(message);
    if (refused !== null) return this.answer(message, { error: refused, stream: this.name, seq: 0 });
    const proposal = this.propose(message);
    if (this.host.replicas === 1) return this.acknowledge(proposal);
    this.proposals.add(proposal);
    this.commits.send(this.host.delayMs(), () => {
      if (this.proposals.delete(proposal)) this.acknowledge(proposal);
    });
  }

  private propose(message: SimMessage): Proposal {
    return { message, stampMs: this.host.wallMs(this.leader), guard: guardOf(message) };
  }

  private acknowledge(proposal: Proposal): void {
    this.answer(proposal.message, { stream: this.name, seq: this.commit(proposal) });
  }

  private commit({ message, stampMs }: Proposal): number {
    const stored = this.store.append(message, stampMs);
    for (const listener of this.storedListeners) listener(stored);
    for (const consumer of this.consumers) consumer.appended(stored.seq);
    return stored.seq;
  }

  private refusal(message: SimMessage): ApiError | null {
    const { bytesMax, messageBytesMax } = this.settings;
    if (message.data.length + headerBytes(message.headers) > messageBytesMax) return TOO_LARGE;
    const guard = guardOf(message);
    if (guard !== null) {
      for (const each of this.proposals)
        if (each.guard === guard || each.message.subject === guard) return IN_FLIGHT;
      const last = this.store.lastSeqOf(guard);
      if (Number(message.headers?.get(EXPECTED)) !== last) return wrongLastSequence(last);
    }
    let bytes = this.store.bytes + storedBytes(message);
    for (const each of this.proposals) bytes += storedBytes(each.message);
    return bytesMax > 0 && bytes > bytesMax ? FULL : null;
  }

  private answer({ reply }: SimMessage, ack: unknown): void {
    if (reply === "") return;
    const { dice, ackFaults, send, loop } = this.host;
    const { lostShare, lateShare, lateMsMax } = ackFaults();
    if (lostShare > 0 && dice.chance(lostShare)) return;
    const answer = { subject: reply, data: json(ack), reply: "", headers: null };
    const go = (): void => send(`acks ${this.name}`, answer, reply);
    if (lateShare > 0 && dice.chance(lateShare)) loop.after(dice.next() * lateMsMax, go);
    else go();
  }
}

/** The subject whose last sequence an append expects; null where it expects nothing. */
function guardOf(message: SimMessage): string | null {
  if (message.headers === null || !message.headers.has(EXPECTED)) return null;
  return message.headers.get(EXPECTED_SUBJECT) || message.subject;
}
