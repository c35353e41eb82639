/**
 * What waits for the log. Items of one kind are packed into numbered records; a few records are in flight at once, and
 * what is added meanwhile goes into the next one. Pure: it knows no clock, connection or promise.
 *
 * O1 A record keeps its number and bytes however often it is sent, so the fold can void the repeats.
 * O2 At most `fullWindowMax` records are in flight, and one leaves behind `windowMax` of them only if it is full: waiting gains
 *    it nothing, where others gather more. Their numbers lie within `spanMax`: one that is lost while those behind it arrive
 *    must not come so late that the fold takes it for a repeat.
 * O3 Items leave in the order in which they came; a record holds items of one kind only.
 */
import { Fifo } from "@weft/protocol";

export type OutboxItem = {
  /** Bytes that it adds to a record. */
  readonly bytes: number;
  /** The log has it, at this sequence. */
  acknowledged(seq: number): void;
  /** It was given up; whether the log has it is unknown if it was ever sent. */
  abandoned(error: Error): void;
};

export type OutboxRecord<Kind, Item> = {
  readonly number: number;
  readonly kind: Kind;
  readonly items: readonly Item[];
};

export type OutboxLimits = {
  readonly windowMax: number;
  readonly fullWindowMax: number;
  readonly spanMax: number;
  readonly recordBytesMax: number;
  readonly recordItemsMax: number;
};

export class Outbox<Kind extends string, Item extends OutboxItem> {
  private readonly limits: OutboxLimits;
  private readonly flying = new Map<number, OutboxRecord<Kind, Item>>();
  private readonly waiting = new Fifo<Item>();
  /** Of those that wait. */
  private readonly kinds = new Fifo<Kind>();
  private lastNumber = 0;
  /** Of what is not packed yet. */
  private bytes = 0;

  constructor(limits: OutboxLimits) {
    this.limits = limits;
  }

  /** Items that no acknowledgement has come for. */
  get pending(): number {
    let flying = 0;
    for (const record of this.flying.values()) flying += record.items.length;
    return this.waiting.size + flying;
  }

  get waitingCount(): number {
    return this.waiting.size;
  }

  get waitingBytes(): number {
    return this.bytes;
  }

  get inFlight(): number {
    return this.flying.size;
  }

  /** Whether what waits fills a record. */
  get fillsRecord(): boolean {
    const { recordBytesMax, recordItemsMax } = this.limits;
    return this.bytes >= recordBytesMax || this.waiting.size >= recordItemsMax;
  }

  add(kind: Kind, item: Item): void {
    this.kinds.push(kind);
    this.waiting.push(item);
    this.bytes += item.bytes;
  }

  /** The next record to send, or null where nothing waits or none may leave (O2). */
  take(): OutboxRecord<Kind, Item> | null {
    const kind = this.kinds.first;
    if (kind === null || !this.hasRoom) return null;
    const items: Item[] = [];
    let bytes = 0;
    while (items.length < this.limits.recordItemsMax) {
      const item = this.waiting.first;
      if (item === null || this.kinds.first !== kind) break;
      if (items.length > 0 && bytes + item.bytes > this.limits.recordBytesMax) break;
      items.push(item);
      bytes += item.bytes;
      this.waiting.shift();
      this.kinds.shift();
    }
    this.bytes -= bytes;
    const record = { number: ++this.lastNumber, kind, items };
    this.flying.set(record.number, record);
    return record;
  }

  private get hasRoom(): boolean {
    const { windowMax, fullWindowMax, spanMax } = this.limits;
    const [oldest] = this.flying.keys();
    const most = this.fillsRecord ? fullWindowMax : windowMax;
    return this.flying.size < most && (oldest === undefined || this.lastNumber + 1 - oldest < spanMax);
  }

  /** The record that an acknowledgement settles; null for a second acknowledgement of a record sent twice. */
  settle(number: number): OutboxRecord<Kind, Item> | null {
    const record = this.flying.get(number) ?? null;
    this.flying.delete(number);
    return record;
  }

  /** Everything that is not acknowledged, when the sender gives up. */
  abandonAll(): Item[] {
    const items = [...this.flying.values()].flatMap((record) => [...record.items]);
    // One by one: there may be more of them than a call takes arguments.
    for (const item of this.waiting) items.push(item);
    this.flying.clear();
    this.kinds.clear();
    this.waiting.clear();
    this.bytes = 0;
    return items;
  }
}
