/** Items that note what becomes of them, and as much of a connection as an appender uses. */
import type { Identity, InstanceId, Sender } from "@weft/protocol";
import {
  type Bus,
  type Connection,
  type OutboxItem,
  type OutboxRecord,
  systemClock,
  systemEntropy,
} from "../src/index.ts";

export class NotedItem implements OutboxItem {
  readonly name: string;
  readonly bytes: number;
  /** The sequences at which it was acknowledged, and the errors with which it was given up: one of either at most. */
  readonly seqs: number[] = [];
  readonly errors: Error[] = [];

  constructor(name: string, bytes = 1) {
    this.name = name;
    this.bytes = bytes;
  }
  acknowledged(seq: number): void {
    this.seqs.push(seq);
  }
  abandoned(error: Error): void {
    this.errors.push(error);
  }
}

export function itemsOf(count: number): NotedItem[] {
  return Array.from({ length: count }, (_, i) => new NotedItem(String(i)));
}

/** A record as a person reads it: "2 submit: c d". */
export function encode(record: OutboxRecord<string, NotedItem>): Uint8Array {
  return Buffer.from(`${record.number} ${record.kind}: ${record.items.map(({ name }) => name).join(" ")}`);
}

/** A connection of `me.i1` over a bus of the test's own. */
export function connectionOver(nats: Bus): Connection {
  return {
    nats,
    stream: () => {
      throw new Error("a test without streams");
    },
    clock: systemClock,
    entropy: systemEntropy,
    identity: "me" as Identity,
    instance: "i1" as InstanceId,
    sender: "me.i1" as Sender,
    servers: [],
  };
}

type Published = { readonly subject: string; readonly text: string; readonly reply: string };
type Callback = (
  error: Error | null,
  message: { readonly subject: string; readonly data: Uint8Array },
) => void;

/** What is published is kept, and answered when the test says so. */
export class FakeNats {
  readonly published: Published[] = [];
  closed = false;
  subscribed = false;
  private callback: Callback = () => undefined;

  get connection(): Connection {
    const nats = {
      subscribe: (_: string, options: { readonly callback: Callback }) => {
        this.callback = options.callback;
        this.subscribed = true;
        const unsubscribe = (): void => {
          this.subscribed = false;
        };
        return { unsubscribe };
      },
      publish: (subject: string, data: Uint8Array, { reply }: { readonly reply: string }) =>
        void this.published.push({ subject, text: Buffer.from(data).toString(), reply }),
      isClosed: () => this.closed,
    };
    return connectionOver(nats as unknown as Bus);
  }

  /** The server's answer to the publish of that place. */
  answer(place: number, answer: object): void {
    const subject = this.published[place]?.reply ?? "";
    this.callback(null, { subject, data: Buffer.from(JSON.stringify(answer)) });
  }

  acknowledge(place: number, seq: number): void {
    this.answer(place, { stream: "LOG", seq });
  }
}
