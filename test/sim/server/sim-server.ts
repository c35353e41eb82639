/**
 * The simulated NATS server: plain messages, streams and consumers, as far as Weft uses them, with every fault that the
 * real one may show. That it does not lie is shown by the conformance suite, which the real one passes too.
 */

import { type Identity, type InstanceId, inboxPrefix, Sender } from "@weft/protocol";
import type { Dice, SimLoop } from "@weft/testing/simulation";
import { type ClockFault, EPOCH_MS, type SimProcess } from "@weft/testing/simulation";
import type { Connection, StoredMessage, Stream } from "@weft/transport";
import { noRespondersHeaders, SimBus, type SimMessage } from "./sim-bus.ts";
import { SimConsumer } from "./sim-consumer.ts";
import { SimLink } from "./sim-link.ts";
import { SimStream, type SimStreamOptions } from "./sim-stream.ts";

export type SimServerOptions = {
  /** Three replicas refuse a guarded append while another one on its subject is on its way. @default 1 */
  readonly replicas?: 1 | 3;
  /** Longest way of a message between a process and the server. @default 1 */
  readonly messageDelayMsMax?: number;
};

type Peer = { readonly bus: SimBus; readonly link: SimLink };

const API_TIMEOUT_MS = 5_000;
const REPLICATION_MS = 2;
/** How long a server believes in a connection that is cut, and a process in its server. */
const NOTICE_MS_MAX = 2_500;
const HEARTBEATS_EVERY_MS = 500;
const EXPECTED = "Nats-Expected-Last-Subject-Sequence";
const encoder = new TextEncoder();

export class SimServer {
  private readonly loop: SimLoop;
  private readonly dice: Dice;
  private readonly options: Required<SimServerOptions>;
  private readonly peers = new Set<Peer>();
  private readonly streams = new Map<string, SimStream>();
  private readonly consumers = new Map<SimStream, Set<SimConsumer>>();
  /** Until when a stream has no leader. */
  private readonly leaderlessUntilMs = new Map<SimStream, number>();
  /** When a guarded append on a subject has reached all replicas. */
  private readonly replicatedAtMs = new Map<string, number>();
  private clockFault: ClockFault = { rate: 1, offsetMs: 0 };
  private isDown = false;

  constructor(loop: SimLoop, dice: Dice, options: SimServerOptions = {}) {
    this.loop = loop;
    this.dice = dice;
    this.options = { replicas: 1, messageDelayMsMax: 1, ...options };
    this.beat();
  }

  createStream(name: string, options: SimStreamOptions): void {
    const stream = new SimStream(name, options);
    this.streams.set(name, stream);
    this.consumers.set(stream, new Set());
  }

  onStored(name: string, listener: (message: StoredMessage) => void): void {
    this.stream(name).storedListeners.push(listener);
  }

  onTruncated(name: string, listener: (lastSeq: number) => void): void {
    this.stream(name).truncatedListeners.push(listener);
  }

  firstSeq(name: string): number {
    return this.stream(name).info().firstSeq;
  }

  lastSeq(name: string): number {
    return this.stream(name).last;
  }

  connect(process: SimProcess, identity: Identity, instance: InstanceId): Connection {
    const { loop, dice } = this;
    const sender = Sender.of(identity, instance);
    const link = new SimLink({ loop, dice: dice.fork(), delayMsMax: this.options.messageDelayMsMax });
    const bus = new SimBus({
      process,
      link,
      inboxPrefix: inboxPrefix(sender),
      onPublish: (message) => this.publish(message),
    });
    this.peers.add({ bus, link });
    if (this.isDown) {
      link.cut();
      bus.disconnected();
    }
    return {
      nats: bus,
      stream: (name) => this.streamPort(bus, name),
      clock: process.clock,
      entropy: process.entropy,
      sender,
      identity,
      instance,
      servers: ["sim://server"],
    };
  }

  /** Cuts a process off: what is sent either way is lost, and it finds out after a while. */
  cut(process: SimProcess, forMs: number): void {
    for (const peer of this.peers) if (peer.bus.process === process) this.cutPeer(peer, forMs);
  }

  /** All connections break; consumers are gone. */
  restart(downMs: number): void {
    if (this.isDown) return;
    this.isDown = true;
    for (const consumers of this.consumers.values()) consumers.clear();
    for (const { bus, link } of this.living()) {
      link.cut();
      bus.disconnected();
    }
    this.loop.after(downMs, () => {
      this.isDown = false;
      for (const { bus, link } of this.living())
        this.loop.after(this.dice.next() * 200, () => {
          if (this.isDown) return;
          link.mend();
          bus.reconnected();
        });
    });
  }

  /** The stream has no leader for a while: appends find nobody, or get no answer. */
  moveStreamLeader(name: string, forMs: number): void {
    const stream = this.stream(name);
    const until = this.leaderlessUntilMs.get(stream) ?? 0;
    this.leaderlessUntilMs.set(stream, Math.max(until, this.loop.nowMs + forMs));
    for (const consumer of [...this.consumersOf(stream)])
      if (this.dice.chance(0.5)) this.stop(stream, consumer);
    this.loop.after(forMs, () => this.pump(stream));
  }

  /** The server cuts a consumer off, and says nothing. */
  stopConsumer(name: string): void {
    const stream = this.stream(name);
    const consumers = [...this.consumersOf(stream)];
    if (consumers.length > 0) this.stop(stream, this.dice.pick(consumers));
  }

  setClockFault(fault: ClockFault): void {
    this.clockFault = fault;
  }

  /** A stranger appends what is no record of ours. */
  appendGarbage(name: string): void {
    const stream = this.stream(name);
    const last = stream.message(stream.last);
    if (last === null || this.isLeaderless(stream)) return;
    const bytes = new Uint8Array(this.dice.below(64)).map(() => this.dice.below(256));
    const isMutated = this.dice.chance(0.5) && last.data.length > 0;
    const data = isMutated ? mutated(last.data, this.dice) : bytes;
    // The last token of a subject is not a stranger's to use: permissions hold the sender, and the control secret is one.
    const subject = last.subject.replace(/[^.]+$/, "stranger");
    stream.append(subject, data, undefined, this.wallMs());
    this.pump(stream);
  }

  /** A power cut: the newest messages were not on the disk yet. */
  loseTail(name: string, count: number, downMs: number): void {
    if (this.isDown) return;
    this.restart(downMs);
    this.stream(name).truncate(count);
  }

  /** Where the server's own clock is. */
  private wallMs(): number {
    return Math.floor(EPOCH_MS + this.loop.nowMs + this.clockFault.offsetMs);
  }

  private stream(name: string): SimStream {
    const stream = this.streams.get(name);
    if (stream === undefined) throw new RangeError(`there is no stream ${name}`);
    return stream;
  }

  private consumersOf(stream: SimStream): Set<SimConsumer> {
    return this.consumers.get(stream) ?? new Set();
  }

  private isLeaderless(stream: SimStream): boolean {
    return (this.leaderlessUntilMs.get(stream) ?? 0) > this.loop.nowMs;
  }

  private living(): Peer[] {
    for (const peer of this.peers)
      if (peer.bus.isClosed() || peer.bus.process.isKilled) this.peers.delete(peer);
    return [...this.peers];
  }

  private cutPeer({ bus, link }: Peer, forMs: number): void {
    if (!link.works) return;
    link.cut();
    this.loop.after(this.dice.next() * Math.min(forMs, NOTICE_MS_MAX), () => bus.disconnected());
    const mend = (): void => {
      // While the server is down nobody connects to it.
      if (this.isDown) return void this.loop.after(100, mend);
      if (link.works) return;
      bus.disconnected();
      link.mend();
      bus.reconnected();
    };
    this.loop.after(forMs, mend);
  }

  private publish(message: SimMessage): void {
    if (this.isDown) return;
    for (const stream of this.streams.values())
      if (stream.captures(message.subject)) return this.append(stream, message);
    if (this.route(message.subject, message) || message.reply === undefined || message.reply === "") return;
    this.noResponders(message.reply);
  }

  private noResponders(reply: string): void {
    this.route(reply, {
      subject: reply,
      data: new Uint8Array(0),
      reply: undefined,
      headers: noRespondersHeaders(),
    });
  }

  /** True where somebody listens. A process that is cut off listens on, as far as the server knows. */
  private route(to: string, message: SimMessage): boolean {
    let found = false;
    for (const { bus, link } of this.living()) {
      if (!bus.wants(to)) continue;
      found = true;
      link.toProcess(() => bus.take(to, message));
    }
    return found;
  }

  private append(stream: SimStream, { subject, data, reply, headers }: SimMessage): void {
    const answer = (body: object, afterMs: number): void => {
      if (reply === undefined || reply === "") return;
      const message = {
        subject: reply,
        data: encoder.encode(JSON.stringify(body)),
        reply: undefined,
        headers: undefined,
      };
      this.loop.after(afterMs, () => {
        if (!this.isDown) this.route(reply, message);
      });
    };
    if (this.isLeaderless(stream)) {
      // Nobody is there, nobody answers, or it was stored and the answer is lost with the leader.
      if (this.dice.chance(0.6)) return reply === undefined ? undefined : this.noResponders(reply);
      if (this.dice.chance(0.5)) return;
      stream.append(subject, data, headers, this.wallMs());
      return;
    }
    const isGuarded = (headers?.get(EXPECTED) ?? "") !== "";
    if (isGuarded && this.isReplicating(subject))
      return answer(
        { error: { code: 400, err_code: 10_164, description: "last sequence by subject mismatch" } },
        0,
      );
    const told = stream.append(subject, data, headers, this.wallMs());
    if (!told.ok)
      return answer({ error: { code: 400, err_code: told.code, description: told.description } }, 0);
    const afterMs = this.options.replicas === 3 ? REPLICATION_MS * this.dice.next() : 0;
    if (isGuarded) this.replicatedAtMs.set(subject, this.loop.nowMs + afterMs);
    answer({ stream: stream.name, seq: told.message.seq }, afterMs);
    this.pump(stream);
  }

  private isReplicating(subject: string): boolean {
    return this.options.replicas === 3 && (this.replicatedAtMs.get(subject) ?? 0) > this.loop.nowMs;
  }

  private pump(stream: SimStream): void {
    if (this.isDown || this.isLeaderless(stream)) return;
    for (const consumer of this.consumersOf(stream)) consumer.pump();
  }

  private beat(): void {
    this.loop.after(HEARTBEATS_EVERY_MS, () => {
      if (!this.isDown)
        for (const consumers of this.consumers.values()) for (const consumer of consumers) consumer.beat();
      this.beat();
    });
  }

  private stop(stream: SimStream, consumer: SimConsumer): void {
    consumer.stopped = true;
    this.consumersOf(stream).delete(consumer);
  }

  private streamPort(bus: SimBus, name: string): Stream {
    const call = <T>(act: (stream: SimStream) => T): Promise<T> => this.call(bus, name, act);
    return {
      name,
      info: () => call((stream) => stream.info()),
      message: (seq) => call((stream) => stream.message(seq)),
      lastMessage: (subject) => call((stream) => stream.lastOn(subject)),
      purge: (what) => call((stream) => stream.purge(what)),
      configure: (change) => call((stream) => stream.configure(change)),
      follow: ({ deliverTo, fromSeq }) =>
        call((stream) => {
          const send = (to: string, message: SimMessage): void => {
            if (!this.route(to, message)) this.stop(stream, consumer);
          };
          const consumer = new SimConsumer({ stream, deliverTo, fromSeq, send });
          this.consumersOf(stream).add(consumer);
          const pending = Math.max(0, stream.last - Math.max(fromSeq, 1) + 1);
          this.loop.after(0, () => this.pump(stream));
          return pending;
        }),
    };
  }

  /** A request to the stream's leader, there and back. */
  private call<T>(bus: SimBus, name: string, act: (stream: SimStream) => T): Promise<T> {
    return new Promise((resolve, reject) => {
      const timer = bus.process.clock.after(API_TIMEOUT_MS, () => reject(new Error("timeout")));
      const back = (settle: () => void): void =>
        bus.link.toProcess(() =>
          bus.process.deliver(() => {
            timer.cancel();
            settle();
          }),
        );
      bus.link.toServer(() => {
        if (this.isDown) return;
        const stream = this.streams.get(name);
        if (stream === undefined)
          return back(() => reject(Object.assign(new Error("stream not found"), { code: 10_059 })));
        if (this.isLeaderless(stream)) return back(() => reject(new Error("JetStream is not enabled")));
        const value = act(stream);
        back(() => resolve(value));
      });
    });
  }
}

function mutated(data: Uint8Array, dice: Dice): Uint8Array {
  const copy = new Uint8Array(data);
  copy[dice.below(copy.length)] = dice.below(256);
  return copy;
}
