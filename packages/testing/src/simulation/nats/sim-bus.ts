/**
 * The client's end of a connection, which behaves as nats.js does.
 *
 * B1 What is published while the connection is down is dropped without an error, except what the dial that succeeds finds.
 * B2 A request whose message or answer is lost hangs until its time-out.
 * B3 Subscriptions survive a reconnect, and miss what was sent meanwhile.
 */
import { errors, type MsgHdrs, RequestError, type Status, TimeoutError } from "@nats-io/transport-node";
import { inboxPrefix, type Sender } from "@weft/protocol";
import type { Bus, BusMessage, BusSubscription, Timer } from "@weft/transport";
import type { SimProcess } from "../sim-process.ts";
import { bytesOf, headerBytes, NO_DATA, ownHeaders, type SimMessage } from "./message.ts";
import type { Session, SessionClient } from "./session.ts";
import { StatusFeed } from "./status-feed.ts";

/** What the server does for one connection. */
export type BusServer = {
  /** Null where the server cannot be reached. */
  dial(bus: SimBus): Session | null;
  dialMs(): number;
  /** How long what arrives waits for more, to be read at once. */
  chunkMs(): number;
  later(waitMs: number, act: () => void): void;
  publish(session: Session, message: SimMessage): void;
  subscribe(session: Session, sid: number, pattern: string): void;
  unsubscribe(session: Session, sid: number): void;
  leave(session: Session): void;
};

type Callback = (error: Error | null, message: BusMessage) => void;
type Subscribed = { readonly subject: string; readonly callback: Callback };
type Pending = {
  readonly subject: string;
  readonly resolve: (message: BusMessage) => void;
  readonly reject: (error: Error) => void;
  readonly timer: Timer;
};

const PAYLOAD_BYTES_MAX = 1024 * 1024;
const RETRY_WAIT_MS = 100;
const SERVER = "sim:4222";

export class SimBus implements Bus, SessionClient {
  readonly process: SimProcess;
  private readonly server: BusServer;
  private readonly inbox: string;
  private readonly subscribed = new Map<number, Subscribed>();
  private readonly pending = new Map<string, Pending>();
  private readonly feeds = new Set<StatusFeed>();
  /** What waits for the connection: each dial begins with none. */
  private outbound: ((session: Session) => void)[] = [];
  private pongs: { readonly resolve: () => void; readonly reject: (error: Error) => void }[] = [];
  private chunk: (readonly [number, SimMessage])[] = [];
  private open: Session | null = null;
  private lastSid = 0;
  private requests = 0;
  private state: "open" | "draining" | "closed" = "open";

  constructor(process: SimProcess, sender: Sender, server: BusServer) {
    this.process = process;
    this.server = server;
    this.inbox = `${inboxPrefix(sender)}.${process.entropy.token(22)}.`;
    this.open = server.dial(this);
    if (this.open === null) this.dial();
  }

  get isKilled(): boolean {
    return this.process.isKilled;
  }

  /** Null while it is not connected. */
  get session(): Session | null {
    return this.open;
  }

  publish(
    subject: string,
    payload: Uint8Array | string = NO_DATA,
    options: { readonly reply?: string; readonly headers?: MsgHdrs } = {},
  ): void {
    this.check(subject);
    const reply = options.reply ?? "";
    if (reply !== "") this.check(reply);
    const headers = options.headers === undefined ? null : ownHeaders(options.headers);
    const data = typeof payload === "string" ? bytesOf(payload) : payload;
    if (data.length + headerBytes(headers) > PAYLOAD_BYTES_MAX)
      throw errors.InvalidArgumentError.format("payload", "max_payload size exceeded");
    // Copied when it is sent and not before, like nats.js: bytes that change in between are sent changed.
    this.send((session) =>
      this.server.publish(session, { subject, data: Uint8Array.from(data), reply, headers }),
    );
  }

  subscribe(subject: string, options: { readonly callback: Callback }): BusSubscription {
    this.check(subject);
    if (this.state === "draining") throw new errors.DrainingConnectionError();
    const sid = ++this.lastSid;
    this.subscribed.set(sid, { subject, callback: options.callback });
    const session = this.open;
    session?.toServer(() => this.server.subscribe(session, sid, subject));
    return { unsubscribe: () => this.unsubscribe(sid) };
  }

  request(
    subject: string,
    payload: Uint8Array | undefined,
    options: { readonly timeout: number; readonly headers?: MsgHdrs },
  ): Promise<BusMessage> {
    if (this.isClosed()) return Promise.reject(new errors.ClosedConnectionError());
    if (this.requests === 0) this.listenForAnswers();
    const token = String(++this.requests);
    return new Promise((resolve, reject) => {
      const { timeout, ...rest } = options;
      const timer = this.process.clock.after(timeout, () => {
        this.pending.delete(token);
        reject(new TimeoutError());
      });
      this.pending.set(token, { subject, resolve, reject, timer });
      try {
        this.publish(subject, payload, { reply: this.inbox + token, ...rest });
      } catch (error) {
        this.pending.delete(token);
        timer.cancel();
        throw error;
      }
    });
  }

  isClosed(): boolean {
    return this.state === "closed";
  }

  status(): AsyncIterable<Status> {
    const feed = new StatusFeed();
    if (this.isClosed()) feed.end();
    else this.feeds.add(feed);
    return feed;
  }

  /** Resolves when the server has taken everything that was sent before. */
  flush(): Promise<void> {
    if (this.isClosed()) return Promise.reject(new errors.ClosedConnectionError());
    return new Promise((resolve, reject) => {
      this.pongs.push({ resolve, reject });
      this.send((session) =>
        session.toClient(session.source, () => this.process.deliver(() => this.pongs.shift()?.resolve())),
      );
    });
  }

  async drain(): Promise<void> {
    if (this.isClosed()) throw new errors.ClosedConnectionError();
    if (this.state === "draining") throw new errors.DrainingConnectionError();
    this.state = "draining";
    await this.flush();
    await this.close();
  }

  close(): Promise<void> {
    if (this.isClosed()) return Promise.resolve();
    this.state = "closed";
    for (const each of this.pending.values()) {
      each.timer.cancel();
      each.reject(new RequestError("connection closed"));
    }
    this.pending.clear();
    this.subscribed.clear();
    const session = this.open;
    session?.toServer(() => this.server.leave(session));
    this.open = null;
    this.tell({ type: "close" });
    for (const feed of this.feeds) feed.end();
    return Promise.resolve();
  }

  /** The client notices that a session has ended. */
  lost(session: Session): void {
    this.process.deliver(() => {
      if (this.open !== session) return;
      this.open = null;
      this.tell({ type: "disconnect", server: SERVER });
      this.dial();
    });
  }

  arrived(sid: number, message: SimMessage): void {
    this.chunk.push([sid, message]);
    if (this.chunk.length > 1) return;
    this.server.later(this.server.chunkMs(), () => {
      const { chunk } = this;
      this.chunk = [];
      this.process.deliver(() => {
        for (const [to, each] of chunk) this.subscribed.get(to)?.callback(null, this.received(each));
      });
    });
  }

  private received({ subject, data, reply, headers }: SimMessage): BusMessage {
    const respond = (payload?: Uint8Array): boolean => {
      if (reply !== "") this.publish(reply, payload);
      return reply !== "";
    };
    return { subject, data, reply, ...(headers === null ? {} : { headers }), respond };
  }

  private unsubscribe(sid: number): void {
    if (!this.subscribed.delete(sid)) return;
    const session = this.open;
    session?.toServer(() => this.server.unsubscribe(session, sid));
  }

  private listenForAnswers(): void {
    this.subscribe(`${this.inbox}*`, {
      callback: (_, message) => {
        const token = message.subject.slice(this.inbox.length);
        const pending = this.pending.get(token);
        if (pending === undefined) return;
        this.pending.delete(token);
        pending.timer.cancel();
        if (message.data.length > 0 || message.headers?.code !== 503) return pending.resolve(message);
        const cause = new errors.NoRespondersError(pending.subject);
        pending.reject(new RequestError(cause.message, { cause }));
      },
    });
  }

  /** Tries until the server is there. The first try is at once. */
  private dial(): void {
    if (this.isClosed() || this.open !== null) return;
    this.outbound = [];
    for (const pong of this.pongs) pong.reject(new RequestError("connection disconnected"));
    this.pongs = [];
    this.tell({ type: "reconnecting" });
    this.process.clock.after(this.server.dialMs(), () => {
      if (this.isClosed()) return;
      const session = this.server.dial(this);
      if (session === null) {
        const waitMs = RETRY_WAIT_MS + this.process.entropy.below(RETRY_WAIT_MS);
        this.process.clock.after(waitMs, () => this.dial());
        return;
      }
      this.connected(session);
    });
  }

  private connected(session: Session): void {
    this.open = session;
    for (const [sid, { subject }] of this.subscribed)
      session.toServer(() => this.server.subscribe(session, sid, subject));
    for (const command of this.outbound) session.toServer(() => command(session));
    this.outbound = [];
    this.tell({ type: "reconnect", server: SERVER });
  }

  private send(command: (session: Session) => void): void {
    if (this.isKilled) return;
    const session = this.open;
    if (session === null) this.outbound.push(command);
    else session.toServer(() => command(session));
  }

  private tell(status: Status): void {
    for (const feed of this.feeds) feed.push(status);
  }

  private check(subject: string): void {
    if (this.isClosed()) throw new errors.ClosedConnectionError();
    if (subject === "" || /[ \n\r\t]/.test(subject)) throw new errors.InvalidSubjectError(subject);
  }
}
