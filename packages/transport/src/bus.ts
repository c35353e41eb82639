/** Plain NATS, as shells see it. A connection of nats.js is one; the simulation has another. */
import type { MsgHdrs, Status } from "@nats-io/transport-node";

export type BusMessage = {
  readonly subject: string;
  readonly data: Uint8Array;
  readonly reply?: string;
  readonly headers?: MsgHdrs;
  respond(payload?: Uint8Array): boolean;
};

export type BusSubscription = {
  unsubscribe(): void;
};

export type Bus = {
  publish(
    subject: string,
    payload?: Uint8Array | string,
    options?: { readonly reply?: string; readonly headers?: MsgHdrs },
  ): void;
  subscribe(
    subject: string,
    options: { readonly callback: (error: Error | null, message: BusMessage) => void },
  ): BusSubscription;
  /** Rejects after `timeout` ms, and at once where nobody listens. */
  request(
    subject: string,
    payload: Uint8Array | undefined,
    options: { readonly timeout: number; readonly headers?: MsgHdrs },
  ): Promise<BusMessage>;
  isClosed(): boolean;
  status(): AsyncIterable<Status>;
  /** Sends what is buffered, then closes. */
  drain(): Promise<void>;
  close(): Promise<void>;
};
