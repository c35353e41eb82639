/**
 * An ephemeral push consumer without acknowledgements, with heartbeats and flow control.
 *
 * C1 It sends consecutive messages of the stream, each once, while somebody listens; what is lost on the way is not sent
 *    again.
 * C2 A start below the first message is moved to that without a word; one behind the end waits for its message.
 * C3 It knows what the node knows that it lives on, which may be behind the leader of the stream.
 */
import { headers } from "@nats-io/transport-node";
import type { SimLoop, SimTimer } from "../loop.ts";
import { Lane } from "./lane.ts";
import type { LogStore, SimStored } from "./log-store.ts";
import { NO_DATA, type SimMessage } from "./message.ts";

export type ConsumerOptions = {
  readonly stream: string;
  readonly name: string;
  /** The node that it lives on. */
  readonly node: number;
  /** How far that is behind the leader now. */
  readonly lagMs: () => number;
  readonly deliverTo: string;
  readonly fromSeq: number;
  readonly heartbeatMs: number;
  /** How long nobody may listen. */
  readonly inactiveMs: number;
  /** Sent and not yet confirmed by the reader, at most. */
  readonly windowBytes: number;
};

export type ConsumerHost = {
  readonly loop: SimLoop;
  readonly store: LogStore;
  /** A message keeps its subject, wherever it is sent. */
  send(source: string, message: SimMessage, to: string): void;
  hasInterest(subject: string): boolean;
  remove(consumer: PushConsumer): void;
};

export class PushConsumer {
  readonly options: ConsumerOptions;
  private readonly host: ConsumerHost;
  private readonly replication: Lane;
  /** The last message that its node has. */
  private knownSeq = 0;
  private next: number;
  private delivered = 0;
  private waitingCount = 0;
  private unconfirmedBytes = 0;
  private control: { readonly subject: string; readonly bytes: number } | null = null;
  private controls = 0;
  private inactiveSinceMs: number | null = null;
  private timer: SimTimer | null = null;
  private stopped = false;

  constructor(host: ConsumerHost, options: ConsumerOptions) {
    this.host = host;
    this.options = options;
    this.replication = new Lane(host.loop);
    this.next = Math.max(options.fromSeq, host.store.firstSeq, 1);
    this.appended(host.store.lastSeq);
    this.beat();
  }

  /** Messages that it has to send now. */
  get pending(): number {
    return this.waitingCount;
  }

  get controlSubject(): string {
    return `$JS.FC.${this.options.stream}.${this.options.name}.`;
  }

  appended(seq: number): void {
    const lagMs = this.options.lagMs();
    if (lagMs === 0 && this.replication.isEmpty) this.learn(seq);
    else this.replication.send(lagMs, () => this.learn(seq));
  }

  /** Messages were removed. */
  recount(): void {
    const { store } = this.host;
    this.waitingCount = store.countFrom(this.next) - store.countFrom(Math.max(this.next, this.knownSeq + 1));
  }

  /** The reader has taken what was sent before this. */
  confirm(subject: string): void {
    if (this.control?.subject !== subject) return;
    this.unconfirmedBytes -= this.control.bytes;
    this.control = null;
    this.pump();
  }

  stop(): void {
    this.stopped = true;
    this.timer?.cancel();
  }

  pump(): void {
    if (this.stopped || !this.isListenedTo()) return;
    while (this.unconfirmedBytes < this.options.windowBytes) {
      const stored = this.host.store.from(this.next);
      if (stored === null || stored.seq > this.knownSeq) break;
      this.deliver(stored);
      this.beat();
    }
  }

  private learn(seq: number): void {
    if (this.stopped || seq <= this.knownSeq) return;
    const isNext = seq === this.knownSeq + 1;
    this.knownSeq = seq;
    if (!isNext) this.recount();
    // Those that it passes over too, where it began behind the end: then its count is never right again.
    else this.waitingCount++;
    // Its creation is answered first.
    this.host.loop.after(0, () => this.pump());
  }

  private isListenedTo(): boolean {
    const listens = this.host.hasInterest(this.options.deliverTo);
    if (listens) this.inactiveSinceMs = null;
    else this.inactiveSinceMs ??= this.host.loop.nowMs;
    return listens;
  }

  private deliver(stored: SimStored): void {
    this.next = stored.seq + 1;
    this.delivered++;
    this.waitingCount--;
    const { stream, name } = this.options;
    const stamp = `${stored.stampMs}000000`;
    const reply = `$JS.ACK.${stream}.${name}.1.${stored.seq}.${this.delivered}.${stamp}.${this.waitingCount}`;
    this.send({ subject: stored.subject, data: stored.data, headers: stored.headers, reply });
    this.unconfirmedBytes += stored.data.length + stored.subject.length;
    if (this.control === null && this.unconfirmedBytes >= this.options.windowBytes / 2) {
      this.control = { subject: `${this.controlSubject}${++this.controls}`, bytes: this.unconfirmedBytes };
      const status = headers(100, "FlowControl Request");
      this.send({
        subject: this.options.deliverTo,
        data: NO_DATA,
        headers: status,
        reply: this.control.subject,
      });
    }
  }

  /** Says that it lives, some time after it said something else. */
  private beat(): void {
    this.timer?.cancel();
    this.timer = this.host.loop.after(this.options.heartbeatMs, () => {
      if (this.stopped) return;
      this.beat();
      const { loop } = this.host;
      if (this.isListenedTo()) this.heartbeat();
      else if (loop.nowMs - (this.inactiveSinceMs ?? loop.nowMs) >= this.options.inactiveMs)
        this.host.remove(this);
      this.pump();
    });
  }

  private heartbeat(): void {
    const status = headers(100, "Idle Heartbeat");
    status.set("Nats-Last-Consumer", String(this.delivered));
    status.set("Nats-Last-Stream", String(this.next - 1));
    if (this.control !== null) status.set("Nats-Consumer-Stalled", this.control.subject);
    this.send({ subject: this.options.deliverTo, data: NO_DATA, headers: status, reply: "" });
  }

  private send(message: SimMessage): void {
    this.host.send(`consumer ${this.options.name}`, message, this.options.deliverTo);
  }
}
