/**
 * A nats-server with JetStream, or a cluster of three, on simulated time, with the faults that a real one may show. What it
 * does is held to what the real ones do by test/conformance.
 */
import { type Identity, type InstanceId, Sender } from "@weft/protocol";
import type { Connection, StoredMessage } from "@weft/transport";
import type { Dice } from "../dice.ts";
import type { SimLoop } from "../loop.ts";
import type { ClockFault, SimProcess } from "../sim-process.ts";
import { answerOf, streamOf } from "./api-desk.ts";
import { UNAVAILABLE } from "./api-error.ts";
import { garbageLike } from "./garbage.ts";
import { json, type SimMessage } from "./message.ts";
import { type Cut, Network } from "./network.ts";
import { ServerClock } from "./server-clock.ts";
import { SimBus } from "./sim-bus.ts";
import { type AckFaults, SimStream, type StreamConfig } from "./sim-stream.ts";
import { SimStreamPort } from "./stream-port.ts";

export type SimServerOptions = {
  /** Nodes of the cluster, and copies of each stream. @default 1 */
  readonly replicas?: 1 | 3;
  /** Longest way of a message between a process and the server. @default 1 */
  readonly messageDelayMsMax?: number;
  /** What a reader of a stream may leave unconfirmed. @default 512 KiB */
  readonly windowBytes?: number;
};

export type SimConnection = Omit<Connection, "nats"> & { readonly nats: SimBus };

const WINDOW_BYTES = 512 * 1024;
/** How long a client believes in a connection that is cut, at most, and a server after it was mended. */
const CLIENT_NOTICES_MS_MAX = 12_000;
const SERVER_NOTICES_MS_MAX = 500;
/** How long three replicas look for a leader when the old one is lost. */
const ELECTION_MS_MIN = 4_000;
const ELECTION_MS_MAX = 9_000;

export class SimServer {
  private readonly loop: SimLoop;
  private readonly dice: Dice;
  private readonly options: Required<SimServerOptions>;
  private readonly network: Network;
  private readonly streams = new Map<string, SimStream>();
  private readonly clocks: readonly ServerClock[];
  private ackFaults: AckFaults = { lostShare: 0, lateShare: 0, lateMsMax: 0 };

  constructor(loop: SimLoop, dice: Dice, options: SimServerOptions = {}) {
    this.loop = loop;
    this.dice = dice;
    this.options = { replicas: 1, messageDelayMsMax: 1, windowBytes: WINDOW_BYTES, ...options };
    const { replicas, messageDelayMsMax: delayMsMax } = this.options;
    this.clocks = Array.from({ length: replicas }, () => new ServerClock(loop));
    const toStreams = (message: SimMessage, to: string): boolean => this.toStreams(message, to);
    this.network = new Network({ loop, dice, delayMsMax, toStreams }, replicas);
  }

  createStream(name: string, config: StreamConfig): void {
    const { loop, dice, network, options } = this;
    this.streams.set(
      name,
      new SimStream(name, config, {
        loop,
        dice,
        replicas: options.replicas,
        wallMs: (node) => this.clocks[node]?.wallMs() ?? 0,
        delayMs: () => network.delayMs(),
        ackFaults: () => this.ackFaults,
        send: (source, message, to) => void network.route(source, message, to),
        hasInterest: (subject) => network.hasInterest(subject),
      }),
    );
  }

  connect(process: SimProcess, identity: Identity, instance: InstanceId): SimConnection {
    const sender = Sender.of(identity, instance);
    const nats = new SimBus(process, sender, this.network);
    this.network.join(nats);
    const { clock, entropy } = process;
    const stream = (name: string): SimStreamPort => new SimStreamPort(nats, name);
    return { nats, stream, clock, entropy, sender, identity, instance, servers: ["nats://sim:4222"] };
  }

  /** Told of everything that a stream stores, when it does. */
  onStored(stream: string, listener: (message: StoredMessage) => void): void {
    this.stream(stream).storedListeners.push(listener);
  }

  /** Told when a stream loses its end, of the last sequence that is left. */
  onTruncated(stream: string, listener: (lastSeq: number) => void): void {
    this.stream(stream).truncatedListeners.push(listener);
  }

  firstSeq(stream: string): number {
    return this.stream(stream).store.firstSeq;
  }

  lastSeq(stream: string): number {
    return this.stream(stream).store.lastSeq;
  }

  /** Everything that a stream holds. */
  stored(stream: string): readonly StoredMessage[] {
    return this.stream(stream).store.all();
  }

  /** A publish of somebody who is no part of Weft. */
  publish(subject: string, data: Uint8Array, reply = ""): void {
    this.network.route("stranger", { subject, data, reply, headers: null });
  }

  /** A stranger appends what is no record. */
  appendGarbage(name: string): void {
    const { store } = this.stream(name);
    const last = store.get(store.lastSeq);
    if (last === null) return;
    const { subject, data } = garbageLike(last, this.dice);
    this.publish(subject, data);
  }

  /**
   * Cuts a process off. First nobody notices, and what is sent either way is lost without an error; then its client does,
   * which finds no server until the time is over.
   */
  cut(process: SimProcess, forMs: number, how: Partial<Cut> = {}): void {
    const { dice } = this;
    for (const bus of this.network.of((each) => each.process === process)) {
      const mutedMs = how.mutedMs ?? dice.next() * Math.min(forMs, CLIENT_NOTICES_MS_MAX);
      const early = dice.next() * forMs;
      const late = forMs + dice.next() * SERVER_NOTICES_MS_MAX;
      const noticedMs = how.noticedMs ?? (dice.chance(0.3) ? early : late);
      this.network.cut(bus, { mutedMs, downMs: forMs - mutedMs, noticedMs });
    }
  }

  /** All nodes end and start again: connections break, readers are forgotten, and appends on their way may be stored. */
  restart(downMs: number): void {
    const nodes = [...this.clocks.keys()].filter((node) => this.network.isNodeUp(node));
    for (const node of nodes) this.killNode(node, downMs);
  }

  /** One node ends and starts again. A stream that it leads has no leader until the others have elected one. */
  killNode(node: number, downMs: number): void {
    if (!this.network.isNodeUp(node)) return;
    this.network.stopNode(node);
    for (const stream of this.streams.values()) {
      stream.stopReaders(node, this.options.replicas === 1 ? null : downMs);
      if (stream.leader === node) this.moveStreamLeader(stream.name, this.electionMs(downMs));
    }
    this.loop.after(downMs, () => this.network.startNode(node));
  }

  /** Kills the node that serves a reader of a stream. */
  killReaderOf(stream: string, downMs: number): void {
    const [reader] = this.stream(stream).consumers;
    if (reader !== undefined) this.killNode(reader.options.node, downMs);
  }

  /** Kills the node that leads a stream. */
  killLeader(stream: string, downMs: number): void {
    this.killNode(this.stream(stream).leader, downMs);
  }

  /**
   * A stream has no leader for a while: appends find nobody, or get no answer and are stored or not; what was on its way
   * through the replicas is stored up to some point, without acknowledgements.
   */
  moveStreamLeader(name: string, forMs: number): void {
    const stream = this.stream(name);
    stream.loseLeader(forMs);
    if (this.options.replicas === 1) return;
    const next = this.dice.below(this.options.replicas);
    // Some readers lived on the node that is lost, or are lost with it.
    for (const consumer of [...stream.consumers])
      if (this.dice.chance(1 / this.options.replicas)) stream.removeConsumer(consumer);
    stream.leader = next;
  }

  /** The server cuts a reader off, and says nothing. */
  stopConsumer(name: string): void {
    const stream = this.stream(name);
    if (stream.consumers.size > 0) stream.removeConsumer(this.dice.pick([...stream.consumers]));
  }

  /** A power cut: the newest messages were not on the disk yet, and all nodes start again. */
  loseTail(name: string, count: number, downMs: number): void {
    if (this.network.isDown) return;
    this.restart(downMs);
    this.stream(name).loseTail(count);
  }

  /** The wall clock of one node is wrong from now on, or of all. */
  setClockFault(fault: ClockFault, node?: number): void {
    for (const [at, clock] of this.clocks.entries())
      if (node === undefined || at === node) clock.setFault(fault);
  }

  setAckFaults(faults: AckFaults): void {
    this.ackFaults = faults;
  }

  private electionMs(downMs: number): number {
    if (this.options.replicas === 1 || this.network.nodesUp < 2) return downMs;
    return this.dice.between(ELECTION_MS_MIN, ELECTION_MS_MAX);
  }

  private stream(name: string): SimStream {
    const stream = this.streams.get(name);
    if (stream === undefined) throw new RangeError(`there is no stream ${name}`);
    return stream;
  }

  private toStreams(message: SimMessage, to: string): boolean {
    if (to.startsWith("$JS.FC.")) return this.toConsumers(to);
    if (to.startsWith("$JS.API.")) return this.toApi(message);
    let taken = false;
    for (const stream of this.streams.values())
      if (stream.captures(to) && stream.offer({ ...message, subject: to })) taken = true;
    return taken;
  }

  private toConsumers(subject: string): boolean {
    for (const { consumers } of this.streams.values())
      for (const each of consumers) if (subject.startsWith(each.controlSubject)) each.confirm(subject);
    return true;
  }

  private toApi({ subject, data, reply }: SimMessage): boolean {
    const { dice, network } = this;
    const stream = this.streams.get(streamOf(subject)) ?? null;
    const isLeaderless = stream?.isLeaderless === true;
    if (isLeaderless && dice.chance(0.3)) return false;
    if (isLeaderless && dice.chance(0.5)) return true;
    this.loop.after(network.delayMs(), () => {
      const refused = stream?.isLeaderless === true;
      const answer = refused
        ? { error: UNAVAILABLE }
        : answerOf(stream, subject, data, this.options.windowBytes);
      network.route("api", { subject: reply, data: json(answer), reply: "", headers: null });
    });
    return true;
  }
}
