/** A JetStream stream of the simulated server: what it stores, and what it answers. Time and faults are the server's. */
import type { MsgHdrs } from "@nats-io/transport-node";
import type { StoredMessage, StreamInfo } from "@weft/transport";
import { matches } from "./subject.ts";

export type SimStreamOptions = {
  readonly subjects: readonly string[];
  readonly bytesMax: number;
  readonly metadata: Readonly<Record<string, string>>;
};

export type AppendAnswer =
  | { readonly ok: true; readonly message: StoredMessage }
  | { readonly ok: false; readonly code: number; readonly description: string };

/** What JetStream adds to each message in its store. */
const OVERHEAD_BYTES = 22;
const EXPECTED = "Nats-Expected-Last-Subject-Sequence";

export class SimStream {
  readonly name: string;
  private readonly subjects: readonly string[];
  private readonly messages = new Map<number, StoredMessage>();
  private bytesMax: number;
  private metadata: Readonly<Record<string, string>>;
  private firstSeq = 1;
  private lastSeq = 0;
  private bytes = 0;
  readonly storedListeners: ((message: StoredMessage) => void)[] = [];
  readonly truncatedListeners: ((lastSeq: number) => void)[] = [];

  constructor(name: string, options: SimStreamOptions) {
    this.name = name;
    this.subjects = options.subjects;
    this.bytesMax = options.bytesMax;
    this.metadata = options.metadata;
  }

  get last(): number {
    return this.lastSeq;
  }

  captures(subject: string): boolean {
    return this.subjects.some((pattern) => matches(pattern, subject));
  }

  append(subject: string, data: Uint8Array, headers: MsgHdrs | undefined, stampMs: number): AppendAnswer {
    const expected = headers?.get(EXPECTED) ?? "";
    const last = this.lastOn(subject)?.seq ?? 0;
    if (expected !== "" && Number(expected) !== last)
      return { ok: false, code: 10_071, description: `wrong last sequence: ${last}` };
    const bytes = bytesOf(subject, data);
    if (this.bytesMax >= 0 && this.bytes + bytes > this.bytesMax)
      return { ok: false, code: 10_077, description: "maximum bytes exceeded" };
    const message: StoredMessage = { seq: ++this.lastSeq, subject, data, stampMs };
    this.messages.set(message.seq, message);
    this.bytes += bytes;
    for (const listener of this.storedListeners) listener(message);
    return { ok: true, message };
  }

  info(): StreamInfo {
    const { firstSeq, lastSeq, bytes, bytesMax, metadata } = this;
    // A stream that never held anything says 0, one that was emptied says where it goes on.
    return { firstSeq: lastSeq === 0 ? 0 : firstSeq, lastSeq, bytes, bytesMax, metadata };
  }

  message(seq: number): StoredMessage | null {
    return this.messages.get(seq) ?? null;
  }

  lastOn(subject: string): StoredMessage | null {
    for (let seq = this.lastSeq; seq >= this.firstSeq; seq--) {
      const message = this.messages.get(seq);
      if (message !== undefined && message.subject === subject) return message;
    }
    return null;
  }

  /** The first message from `seq` on; null where there is none yet. */
  from(seq: number): StoredMessage | null {
    for (let at = Math.max(seq, this.firstSeq); at <= this.lastSeq; at++) {
      const message = this.messages.get(at);
      if (message !== undefined) return message;
    }
    return null;
  }

  purge(what: { readonly belowSeq: number } | { readonly subject: string }): void {
    for (const message of [...this.messages.values()]) {
      const goes = "subject" in what ? matches(what.subject, message.subject) : message.seq < what.belowSeq;
      if (goes) this.remove(message);
    }
    if ("belowSeq" in what)
      this.firstSeq = Math.max(this.firstSeq, Math.min(what.belowSeq, this.lastSeq + 1));
    while (this.firstSeq <= this.lastSeq && !this.messages.has(this.firstSeq)) this.firstSeq++;
  }

  configure(change: {
    readonly bytesMax?: number;
    readonly metadata?: Readonly<Record<string, string>>;
  }): void {
    this.bytesMax = change.bytesMax ?? this.bytesMax;
    this.metadata = { ...this.metadata, ...change.metadata };
  }

  /** The newest messages are gone, and their sequences are given again. */
  truncate(count: number): void {
    const lastSeq = Math.max(this.firstSeq - 1, this.lastSeq - count);
    for (let seq = lastSeq + 1; seq <= this.lastSeq; seq++) {
      const message = this.messages.get(seq);
      if (message !== undefined) this.remove(message);
    }
    this.lastSeq = lastSeq;
    for (const listener of this.truncatedListeners) listener(lastSeq);
  }

  private remove(message: StoredMessage): void {
    this.messages.delete(message.seq);
    this.bytes -= bytesOf(message.subject, message.data);
  }
}

function bytesOf(subject: string, data: Uint8Array): number {
  return OVERHEAD_BYTES + subject.length + data.length;
}
