/**
 * A process's connection to the simulated server, as nats.js behaves: it drops what is published while it is
 * disconnected without an error, lets requests hang until their time-out, and restores its subscriptions.
 */
import { errors, type MsgHdrs, MsgHdrsImpl, type Status } from "@nats-io/transport-node";
import type { SimProcess } from "@weft/testing/simulation";
import type { Bus, BusMessage, BusSubscription } from "@weft/transport";
import type { SimLink } from "./sim-link.ts";
import { matches } from "./subject.ts";

export type SimMessage = {
  readonly subject: string;
  readonly data: Uint8Array;
  readonly reply: string | undefined;
  readonly headers: MsgHdrs | undefined;
};

type Callback = (error: Error | null, message: BusMessage) => void;
type Subscribed = { readonly pattern: string; readonly callback: Callback };
type Request = { readonly resolve: (message: BusMessage) => void; readonly reject: (error: Error) => void };

const NO_RESPONDERS = 503;
const SERVER = "sim://server";
const encoder = new TextEncoder();

export class SimBus implements Bus {
  readonly process: SimProcess;
  readonly link: SimLink;
  private readonly onPublish: (message: SimMessage) => void;
  private readonly subscriptions = new Set<Subscribed>();
  private readonly requests = new Map<string, Request>();
  private readonly inbox: string;
  private readonly statuses: Status[] = [];
  private readonly wakers: (() => void)[] = [];
  private requestCount = 0;
  private isConnected = true;
  private closed = false;

  constructor(options: {
    readonly process: SimProcess;
    readonly link: SimLink;
    readonly inboxPrefix: string;
    readonly onPublish: (message: SimMessage) => void;
  }) {
    this.process = options.process;
    this.link = options.link;
    this.onPublish = options.onPublish;
    this.inbox = `${options.inboxPrefix}.${options.process.entropy.token(22)}`;
  }

  publish(
    subject: string,
    payload?: Uint8Array | string,
    options?: { readonly reply?: string; readonly headers?: MsgHdrs },
  ): void {
    if (this.closed) throw new errors.ClosedConnectionError();
    if (!this.isConnected) return;
    const data = typeof payload === "string" ? encoder.encode(payload) : (payload ?? new Uint8Array(0));
    // What is sent is the bytes as they are now.
    const message = { subject, data: new Uint8Array(data), reply: options?.reply, headers: options?.headers };
    this.link.toServer(() => this.onPublish(message));
  }

  subscribe(subject: string, { callback }: { readonly callback: Callback }): BusSubscription {
    const subscribed = { pattern: subject, callback };
    this.subscriptions.add(subscribed);
    return { unsubscribe: () => void this.subscriptions.delete(subscribed) };
  }

  request(
    subject: string,
    payload: Uint8Array | undefined,
    { timeout, headers }: { readonly timeout: number; readonly headers?: MsgHdrs },
  ): Promise<BusMessage> {
    const reply = `${this.inbox}.${++this.requestCount}`;
    return new Promise((resolve, reject) => {
      const over = (): void => {
        timer.cancel();
        this.requests.delete(reply);
      };
      const timer = this.process.clock.after(timeout, () => {
        over();
        reject(new errors.TimeoutError());
      });
      this.requests.set(reply, {
        resolve: (message) => {
          over();
          resolve(message);
        },
        reject: (error) => {
          over();
          reject(error);
        },
      });
      this.publish(subject, payload, { reply, ...(headers === undefined ? {} : { headers }) });
    });
  }

  isClosed(): boolean {
    return this.closed;
  }

  async *status(): AsyncIterable<Status> {
    for (;;) {
      const status = this.statuses.shift();
      if (status !== undefined) yield status;
      else if (this.closed) return;
      else await new Promise<void>((wake) => this.wakers.push(wake));
    }
  }

  async drain(): Promise<void> {
    await this.close();
  }

  async close(): Promise<void> {
    this.closed = true;
    this.subscriptions.clear();
    this.wake();
  }

  /** Whether somebody here listens, as far as the server knows. */
  wants(subject: string): boolean {
    if (this.closed || this.process.isKilled) return false;
    if (this.requests.has(subject)) return true;
    for (const { pattern } of this.subscriptions) if (matches(pattern, subject)) return true;
    return false;
  }

  /** A message has arrived for those who listen on `to`: a consumer delivers messages of other subjects there. */
  take(to: string, message: SimMessage): void {
    this.process.deliver(() => {
      if (this.closed || !this.isConnected) return;
      const delivered = this.delivered(message);
      const request = this.requests.get(to);
      if (request !== undefined) return this.answer(request, delivered);
      for (const { pattern, callback } of [...this.subscriptions])
        if (matches(pattern, to)) callback(null, delivered);
    });
  }

  disconnected(): void {
    if (!this.isConnected) return;
    this.isConnected = false;
    this.tell({ type: "disconnect", server: SERVER });
  }

  reconnected(): void {
    this.isConnected = true;
    this.tell({ type: "reconnect", server: SERVER });
  }

  private answer(request: Request, message: BusMessage): void {
    if (message.data.length > 0 || message.headers?.code !== NO_RESPONDERS) return request.resolve(message);
    const cause = new errors.NoRespondersError(message.subject);
    request.reject(new errors.RequestError(cause.message, { cause }));
  }

  private delivered({ subject, data, reply, headers }: SimMessage): BusMessage {
    return {
      subject,
      data,
      ...(reply === undefined ? {} : { reply }),
      ...(headers === undefined ? {} : { headers }),
      respond: (payload) => {
        if (reply === undefined || reply === "") return false;
        this.publish(reply, payload);
        return true;
      },
    };
  }

  private tell(status: Status): void {
    this.process.deliver(() => {
      this.statuses.push(status);
      this.wake();
    });
  }

  private wake(): void {
    for (const waker of this.wakers.splice(0)) waker();
  }
}

/** What the server sends where nobody answers. */
export function noRespondersHeaders(): MsgHdrs {
  return new MsgHdrsImpl(NO_RESPONDERS, "No Responders");
}
