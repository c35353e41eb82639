/** Items that note what becomes of them, and as much of a connection as an appender uses. */
import type { NatsConnection } from "@nats-io/transport-node";
import type { OutboxItem, OutboxRecord } from "../src/index.ts";

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

  get connection(): NatsConnection {
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
    return nats as unknown as NatsConnection;
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
