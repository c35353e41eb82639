/**
 * The connections of a simulated server and what goes between them: plain NATS.
 *
 * N1 Messages of one connection reach another in order, or not at all; those of several come in any order.
 * N2 While a connection is cut its client's subscriptions count, until the server notices.
 */
import { headers } from "@nats-io/transport-node";
import type { Dice } from "../dice.ts";
import type { SimLoop } from "../loop.ts";
import { Interest } from "./interest.ts";
import { NO_DATA, type SimMessage } from "./message.ts";
import { Session } from "./session.ts";
import type { BusServer, SimBus } from "./sim-bus.ts";

export type NetworkOptions = {
  readonly loop: SimLoop;
  readonly dice: Dice;
  readonly delayMsMax: number;
  /** Takes a message for streams; false where it is none of theirs. */
  readonly toStreams: (message: SimMessage, to: string) => boolean;
};

export type Cut = {
  /** How long what is sent either way is lost before the client notices. */
  readonly mutedMs: number;
  /** How long the client then finds no server. */
  readonly downMs: number;
  /** When the server notices, for which the subscriptions of the connection count until then. */
  readonly noticedMs: number;
};

const DELAY_MS_MIN = 0.05;
const CHUNK_MS_MAX = 0.2;
/** Clients whose server closes their connection hear of it after this, at most. */
const CLOSE_MS_MAX = 5;

export class Network implements BusServer {
  private readonly options: NetworkOptions;
  private readonly interest = new Interest();
  private readonly buses = new Set<SimBus>();
  private readonly unreachableUntilMs = new Map<SimBus, number>();
  /** The nodes that run. */
  private readonly nodes: Set<number>;
  private lastSession = 0;

  constructor(options: NetworkOptions, nodeCount: number) {
    this.options = options;
    this.nodes = new Set(Array.from({ length: nodeCount }, (_, node) => node));
  }

  get isDown(): boolean {
    return this.nodes.size === 0;
  }

  isNodeUp(node: number): boolean {
    return this.nodes.has(node);
  }

  get nodesUp(): number {
    return this.nodes.size;
  }

  join(bus: SimBus): void {
    this.buses.add(bus);
  }

  *of(isOne: (bus: SimBus) => boolean): Iterable<SimBus> {
    for (const bus of [...this.buses]) {
      if (bus.isClosed() || bus.isKilled) this.buses.delete(bus);
      else if (isOne(bus)) yield bus;
    }
  }

  delayMs(): number {
    const { dice, delayMsMax } = this.options;
    return DELAY_MS_MIN + dice.next() * dice.next() * delayMsMax;
  }

  cut(bus: SimBus, { mutedMs, downMs, noticedMs }: Cut): void {
    const { loop } = this.options;
    const { session } = bus;
    this.unreachableUntilMs.set(bus, loop.nowMs + mutedMs + downMs);
    if (session === null || session.isLost) return;
    session.lose();
    loop.after(mutedMs, () => bus.lost(session));
    loop.after(noticedMs, () => this.interest.forget(session));
  }

  stopNode(node: number): void {
    const { loop, dice } = this.options;
    this.nodes.delete(node);
    this.interest.forgetAll((session) => session.node === node);
    for (const bus of this.of(({ session }) => session?.node === node)) {
      const { session } = bus;
      if (session === null || session.isLost) continue;
      session.lose();
      loop.after(dice.next() * CLOSE_MS_MAX, () => bus.lost(session));
    }
  }

  startNode(node: number): void {
    this.nodes.add(node);
  }

  hasInterest(subject: string): boolean {
    return this.interest.matching(subject).length > 0;
  }

  /** False where nobody takes it. A message keeps its subject, wherever it is sent. */
  route(source: string, message: SimMessage, to: string = message.subject): boolean {
    if (this.isDown) return false;
    const listening = this.interest.matching(to);
    for (const { session, sid } of listening)
      session.toClient(source, (client) => client.arrived(sid, message));
    return this.options.toStreams(message, to) || listening.length > 0;
  }

  dial(bus: SimBus): Session | null {
    const { loop, dice } = this.options;
    if (this.isDown || (this.unreachableUntilMs.get(bus) ?? 0) > loop.nowMs) return null;
    this.unreachableUntilMs.delete(bus);
    const id = ++this.lastSession;
    const node = this.nodes.size === 1 ? 0 : dice.pick([...this.nodes]);
    return new Session({ id, node, loop, delayMs: () => this.delayMs(), client: bus });
  }

  dialMs(): number {
    return this.delayMs() + this.delayMs();
  }

  chunkMs(): number {
    const { dice } = this.options;
    return dice.chance(0.5) ? 0 : dice.between(0, CHUNK_MS_MAX);
  }

  later(waitMs: number, act: () => void): void {
    this.options.loop.after(waitMs, act);
  }

  publish(session: Session, message: SimMessage): void {
    if (this.route(session.source, message) || message.reply === "") return;
    const status = headers(503, "No Responders");
    const answer = { subject: message.reply, data: NO_DATA, reply: "", headers: status };
    for (const { sid } of this.interest.matchingOf(session, message.reply))
      session.toClient(session.source, (client) => client.arrived(sid, answer));
  }

  subscribe(session: Session, sid: number, pattern: string): void {
    this.interest.add(session, sid, pattern);
  }

  unsubscribe(session: Session, sid: number): void {
    this.interest.remove(session, sid);
  }

  leave(session: Session): void {
    this.interest.forget(session);
  }
}
