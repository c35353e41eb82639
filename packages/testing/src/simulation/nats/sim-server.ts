/**
 * A nats-server with JetStream, or a cluster of three, on simulated time. What it does is held to what the real ones do by
 * test/conformance.
 */
import { headers } from "@nats-io/transport-node";
import { type Identity, type InstanceId, Sender } from "@weft/protocol";
import type { Connection } from "@weft/transport";
import type { Dice } from "../dice.ts";
import type { SimLoop } from "../loop.ts";
import { EPOCH_MS, type SimProcess } from "../sim-process.ts";
import { answerOf, streamOf } from "./api-desk.ts";
import { Interest } from "./interest.ts";
import type { SimStored } from "./log-store.ts";
import { json, NO_DATA, type SimMessage } from "./message.ts";
import { Session } from "./session.ts";
import { type BusServer, SimBus } from "./sim-bus.ts";
import { SimStream, type StreamConfig } from "./sim-stream.ts";
import { SimStreamPort } from "./stream-port.ts";

export type SimServerOptions = {
  /** Nodes of the cluster and copies of each stream. @default 1 */
  readonly replicas?: 1 | 3;
  /** What a reader of a stream may leave unconfirmed. @default 512 KiB */
  readonly windowBytes?: number;
};

export type Cut = {
  /** How long what is sent either way is lost before the client notices. */
  readonly mutedMs: number;
  /** How long the client then finds no server. */
  readonly downMs: number;
  /** When the server notices, which takes the connection's subscriptions for good until then. @default at the end */
  readonly noticedMs?: number;
};

export type SimConnection = Omit<Connection, "nats"> & { readonly nats: SimBus };

const WINDOW_BYTES = 512 * 1024;

export class SimServer {
  private readonly loop: SimLoop;
  private readonly dice: Dice;
  private readonly options: Required<SimServerOptions>;
  private readonly interest = new Interest();
  private readonly streams = new Map<string, SimStream>();
  private readonly buses: BusServer;
  /** Connections that find no server until a moment. */
  private readonly unreachable = new Map<SimBus, number>();
  private lastSession = 0;

  constructor(loop: SimLoop, dice: Dice, options: SimServerOptions = {}) {
    this.loop = loop;
    this.dice = dice;
    this.options = { replicas: 1, windowBytes: WINDOW_BYTES, ...options };
    this.buses = {
      dial: (bus) => this.accept(bus),
      dialMs: () => this.delayMs() + this.delayMs(),
      chunkMs: () => (dice.chance(0.5) ? 0 : dice.between(0, 0.2)),
      later: (waitMs, act) => void loop.after(waitMs, act),
      publish: (session, message) => this.published(session, message),
      subscribe: (session, sid, pattern) => this.interest.add(session, sid, pattern),
      unsubscribe: (session, sid) => this.interest.remove(session, sid),
      leave: (session) => this.interest.forget(session),
    };
  }

  createStream(name: string, config: StreamConfig): void {
    const { loop } = this;
    this.streams.set(
      name,
      new SimStream(name, config, {
        loop,
        replicas: this.options.replicas,
        wallMs: () => Math.floor(EPOCH_MS + loop.nowMs),
        commitMs: () => this.delayMs(),
        send: (source, message, to) => void this.route(source, message, to),
        hasInterest: (subject) => this.interest.matching(subject).length > 0,
      }),
    );
  }

  connect(process: SimProcess, identity: Identity, instance: InstanceId): SimConnection {
    const sender = Sender.of(identity, instance);
    const nats = new SimBus(process, sender, this.buses);
    const { clock, entropy } = process;
    const stream = (name: string): SimStreamPort => new SimStreamPort(nats, name);
    return { nats, stream, clock, entropy, sender, identity, instance, servers: ["nats://sim:4222"] };
  }

  /** Cuts the network of a connection: first nobody notices, then the client does. */
  cut({ nats }: SimConnection, { mutedMs, downMs, noticedMs = mutedMs + downMs }: Cut): void {
    const { session } = nats;
    this.unreachable.set(nats, this.loop.nowMs + mutedMs + downMs);
    session?.lose();
    if (session === null) return;
    this.loop.after(mutedMs, () => nats.lost(session));
    this.loop.after(noticedMs, () => this.interest.forget(session));
  }

  /** Everything that a stream holds, as nobody in the simulation can see it. */
  stored(stream: string): readonly SimStored[] {
    return this.streams.get(stream)?.store.all() ?? [];
  }

  /** A publish of somebody who is no part of Weft. */
  publish(subject: string, data: Uint8Array, reply = ""): void {
    this.route("stranger", { subject, data, reply, headers: null });
  }

  private delayMs(): number {
    return this.dice.between(0.05, 0.5);
  }

  private accept(bus: SimBus): Session | null {
    if ((this.unreachable.get(bus) ?? 0) > this.loop.nowMs) return null;
    this.unreachable.delete(bus);
    const id = ++this.lastSession;
    return new Session({ id, node: 0, loop: this.loop, delayMs: () => this.delayMs(), client: bus });
  }

  private published(session: Session, message: SimMessage): void {
    if (this.route(session.source, message) || message.reply === "") return;
    const status = headers(503, "No Responders");
    const answer = { subject: message.reply, data: NO_DATA, reply: "", headers: status };
    for (const { sid } of this.interest.matchingOf(session, message.reply))
      session.toClient(session.source, (client) => client.arrived(sid, answer));
  }

  /** False where nobody takes it. */
  private route(source: string, message: SimMessage, to: string = message.subject): boolean {
    const listening = this.interest.matching(to);
    for (const { session, sid } of listening)
      session.toClient(source, (client) => client.arrived(sid, message));
    let taken = listening.length > 0;
    if (to.startsWith("$JS.")) return this.toJetStream(message) || taken;
    for (const stream of this.streams.values()) {
      if (!stream.captures(to)) continue;
      stream.append({ ...message, subject: to });
      taken = true;
    }
    return taken;
  }

  private toJetStream(message: SimMessage): boolean {
    const { subject, data, reply } = message;
    if (subject.startsWith("$JS.FC.")) {
      for (const stream of this.streams.values())
        for (const each of stream.consumers)
          if (subject.startsWith(each.controlSubject)) each.confirm(subject);
      return true;
    }
    if (!subject.startsWith("$JS.API.")) return false;
    this.loop.after(this.delayMs(), () => {
      const stream = this.streams.get(streamOf(subject)) ?? null;
      const answer = answerOf(stream, subject, data, this.options.windowBytes);
      this.route("api", { subject: reply, data: json(answer), reply: "", headers: null });
    });
    return true;
  }
}
