/**
 * A TCP proxy between one party and one NATS node, for machines without namespaces: it cuts, stalls, delays, loses and
 * drops. TCP repeats what the network loses, so a loss is a pause of the stream, as its receiver sees it.
 */
import { connect, createServer, type Server, type Socket } from "node:net";
import type { Dice } from "@weft/testing/simulation";

export type Weather = {
  readonly delayMs: number;
  /** The chance that a piece has to be sent again, which takes `retransmitMs`. */
  readonly loss: number;
  readonly retransmitMs: number;
};

/** In one direction of one connection; beyond it the sender waits. */
const QUEUE_BYTES_MAX = 1024 * 1024;

export class TcpProxy {
  private readonly server: Server;
  private readonly target: { readonly host: string; readonly port: number };
  private readonly dice: Dice;
  private readonly links = new Set<Link>();
  private isCut = false;
  private isStalled = false;
  private weather: Weather | null = null;

  static async open(target: { host: string; port: number }, dice: Dice): Promise<TcpProxy> {
    const proxy = new TcpProxy(target, dice);
    await new Promise<void>((resolve, reject) => {
      proxy.server.once("error", reject).listen(0, "127.0.0.1", resolve);
    });
    return proxy;
  }

  private constructor(target: { host: string; port: number }, dice: Dice) {
    this.target = target;
    this.dice = dice;
    this.server = createServer((socket) => this.accept(socket));
  }

  get port(): number {
    const address = this.server.address();
    return typeof address === "object" && address !== null ? address.port : 0;
  }

  /** Connections end with a reset, and new ones are refused. */
  cut(): void {
    this.isCut = true;
    this.drop();
  }

  /** Nothing comes through any more, in either direction, and nobody is told. */
  stall(): void {
    this.isStalled = true;
    for (const link of this.links) link.pause();
  }

  slow(weather: Weather): void {
    this.weather = weather;
  }

  /** Connections end with a reset; new ones are welcome. */
  drop(): void {
    for (const link of this.links) link.end();
  }

  mend(): void {
    this.isCut = false;
    this.weather = null;
    if (!this.isStalled) return;
    this.isStalled = false;
    for (const link of this.links) link.resume();
  }

  async close(): Promise<void> {
    this.cut();
    await new Promise((closed) => this.server.close(closed));
  }

  private accept(socket: Socket): void {
    if (this.isCut) return void socket.resetAndDestroy();
    const link = new Link(socket, connect(this.target), () => this.heldMs());
    this.links.add(link);
    link.onEnd(() => this.links.delete(link));
    if (this.isStalled) link.pause();
  }

  /** How long the next piece is under way. */
  private heldMs(): number {
    const { weather, dice } = this;
    if (weather === null) return 0;
    return weather.delayMs + (dice.chance(weather.loss) ? weather.retransmitMs : 0);
  }
}

/** Both directions of one connection. */
class Link {
  private readonly sockets: readonly [Socket, Socket];
  private readonly heldMs: () => number;
  private isPaused = false;
  private isOver = false;
  private whenOver: () => void = () => undefined;

  constructor(near: Socket, far: Socket, heldMs: () => number) {
    this.sockets = [near, far];
    this.heldMs = heldMs;
    this.carry(near, far);
    this.carry(far, near);
  }

  onEnd(callback: () => void): void {
    this.whenOver = callback;
  }

  pause(): void {
    this.isPaused = true;
    for (const socket of this.sockets) socket.pause();
  }

  resume(): void {
    this.isPaused = false;
    for (const socket of this.sockets) socket.resume();
  }

  end(): void {
    if (this.isOver) return;
    this.isOver = true;
    for (const socket of this.sockets) socket.resetAndDestroy();
    this.whenOver();
  }

  private carry(from: Socket, to: Socket): void {
    let lastDueMs = 0;
    let queuedBytes = 0;
    const write = (piece: Buffer): void => {
      if (this.isOver) return;
      if (!to.write(piece)) from.pause();
    };
    from.setNoDelay(true).on("error", () => this.end());
    from.on("close", () => this.end());
    to.on("drain", () => {
      if (!this.isPaused && queuedBytes < QUEUE_BYTES_MAX) from.resume();
    });
    from.on("data", (piece: Buffer) => {
      const nowMs = performance.now();
      // What was sent later does not arrive earlier.
      lastDueMs = Math.max(nowMs + this.heldMs(), lastDueMs);
      if (lastDueMs <= nowMs) return write(piece);
      queuedBytes += piece.length;
      if (queuedBytes >= QUEUE_BYTES_MAX) from.pause();
      setTimeout(() => {
        queuedBytes -= piece.length;
        write(piece);
        if (!this.isPaused && queuedBytes < QUEUE_BYTES_MAX) from.resume();
      }, lastDueMs - nowMs);
    });
  }
}
