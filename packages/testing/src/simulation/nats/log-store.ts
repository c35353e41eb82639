/**
 * What a stream holds. Pure: it knows no leader and no time.
 *
 * L1 Sequences are given once and go up by one, unless the tail is lost.
 * L2 The last sequence of a subject without messages is 0.
 */
import type { MsgHdrs } from "@nats-io/transport-node";
import { headerBytes, type SimMessage } from "./message.ts";
import { matches } from "./subject-pattern.ts";

export type SimStored = {
  readonly seq: number;
  readonly subject: string;
  readonly data: Uint8Array;
  readonly headers: MsgHdrs | null;
  readonly stampMs: number;
};

/** What the file store of the server adds to a message: lengths, sequence, stamp, checksum. */
const RECORD_BYTES = 30;
const HEADER_LENGTH_BYTES = 4;

export function storedBytes(message: Pick<SimMessage, "subject" | "data" | "headers">): number {
  const head = message.headers === null ? 0 : HEADER_LENGTH_BYTES + headerBytes(message.headers);
  return RECORD_BYTES + message.subject.length + message.data.length + head;
}

export class LogStore {
  private readonly messages = new Map<number, SimStored>();
  private readonly lastBySubject = new Map<string, number>();
  firstSeq = 0;
  lastSeq = 0;
  bytes = 0;

  append(message: SimMessage, stampMs: number): SimStored {
    const { subject, data, headers } = message;
    const stored = { seq: ++this.lastSeq, subject, data, headers, stampMs };
    if (this.messages.size === 0) this.firstSeq = stored.seq;
    this.messages.set(stored.seq, stored);
    this.lastBySubject.set(subject, stored.seq);
    this.bytes += storedBytes(stored);
    return stored;
  }

  get(seq: number): SimStored | null {
    return this.messages.get(seq) ?? null;
  }

  all(): readonly SimStored[] {
    return [...this.messages.values()];
  }

  /** The next one at or behind a sequence. */
  from(seq: number): SimStored | null {
    for (let at = Math.max(seq, this.firstSeq); at <= this.lastSeq; at++) {
      const stored = this.messages.get(at);
      if (stored !== undefined) return stored;
    }
    return null;
  }

  countFrom(seq: number): number {
    const first = Math.max(seq, this.firstSeq);
    if (this.messages.size === 0 || first > this.lastSeq) return 0;
    if (this.messages.size === this.lastSeq - this.firstSeq + 1) return this.lastSeq - first + 1;
    let count = 0;
    for (const each of this.messages.keys()) if (each >= first) count++;
    return count;
  }

  lastSeqOf(pattern: string): number {
    let last = this.lastBySubject.get(pattern) ?? 0;
    if (last === 0)
      for (const [subject, seq] of this.lastBySubject)
        if (matches(pattern, subject)) last = Math.max(last, seq);
    return last;
  }

  /** How many messages each subject has that a pattern matches. */
  countsOf(pattern: string): Record<string, number> {
    const counts: Record<string, number> = {};
    for (const { subject } of this.messages.values())
      if (matches(pattern, subject)) counts[subject] = (counts[subject] ?? 0) + 1;
    return counts;
  }

  purgeBelow(seq: number): number {
    const before = this.messages.size;
    for (const each of [...this.messages.keys()]) if (each < seq) this.remove(each);
    // A purge that reaches beyond the end moves the end.
    this.lastSeq = Math.max(this.lastSeq, seq - 1);
    this.settleFirst();
    return before - this.messages.size;
  }

  purgeSubject(pattern: string): number {
    const before = this.messages.size;
    for (const each of this.all()) if (matches(pattern, each.subject)) this.remove(each.seq);
    this.settleFirst();
    return before - this.messages.size;
  }

  /** What a power cut does to writes that were not synced. */
  loseTail(count: number): readonly SimStored[] {
    const lost = this.all().slice(-count);
    if (count <= 0 || lost.length === 0) return [];
    for (const each of lost) this.remove(each.seq);
    this.lastSeq = (lost[0]?.seq ?? 1) - 1;
    for (const each of this.messages.values()) this.lastBySubject.set(each.subject, each.seq);
    this.settleFirst();
    return lost;
  }

  private remove(seq: number): void {
    const stored = this.messages.get(seq);
    if (stored === undefined) return;
    this.messages.delete(seq);
    this.bytes -= storedBytes(stored);
    if (this.lastBySubject.get(stored.subject) === seq) this.lastBySubject.delete(stored.subject);
  }

  private settleFirst(): void {
    const [first] = this.messages.keys();
    this.firstSeq = first ?? this.lastSeq + 1;
  }
}
