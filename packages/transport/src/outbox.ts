/**
 * What waits for the log. Items of one kind are packed into numbered records as they come; a few records are in flight at
 * once, and what is added meanwhile goes into the next ones. Pure: it knows no clock, connection or promise.
 *
 * O1 A record keeps its number and bytes however often it is sent, so the fold can void the repeats.
 * O2 At most `fullWindowMax` records are in flight, and one leaves behind `windowMax` of them only if it is full: waiting gains
 *    it nothing, where others gather more. Their numbers lie within `spanMax`: one that is lost while those behind it arrive
 *    must not come so late that the fold takes it for a repeat.
 * O3 Items leave in the order in which they came; a record holds items of one kind only.
 */
import { Fifo } from "@weft/protocol";

export type OutboxItem = {
  /** Bytes that it adds to a record, as it is added. */
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

type Packed<Kind, Item> = OutboxRecord<Kind, Item> & { readonly items: Item[]; bytes: number };

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
  private readonly waiting = new Fifo<Packed<Kind, Item>>();
  /** The last of those that wait, which others may still go into. */
  private open: Packed<Kind, Item> | null = null;
  private lastNumber = 0;
  /** Of what waits, and how many items that are. */
  private bytes = 0;
  private count = 0;

  constructor(limits: OutboxLimits) {
    this.limits = limits;
  }

  /** Items that no acknowledgement has come for. */
  get pending(): number {
    let flying = 0;
    for (const record of this.flying.values()) flying += record.items.length;
    return this.count + flying;
  }

  get waitingCount(): number {
    return this.count;
  }

  get inFlight(): number {
    return this.flying.size;
  }

  /** Whether what waits fills a record. */
  get fillsRecord(): boolean {
    const { recordBytesMax, recordItemsMax } = this.limits;
    return this.bytes >= recordBytesMax || this.count >= recordItemsMax;
  }

  /** The record that it leaves in. */
  add(kind: Kind, item: Item): OutboxRecord<Kind, Item> {
    const { bytes } = item;
    const record = this.recordFor(kind, bytes);
    record.items.push(item);
    record.bytes += bytes;
    this.bytes += bytes;
    this.count++;
    return record;
  }

  /** The next record to send, or null where nothing waits or none may leave (O2). */
  take(): OutboxRecord<Kind, Item> | null {
    const record = this.waiting.first;
    if (record === null || !this.hasRoomFor(record.number)) return null;
    this.waiting.shift();
    if (record === this.open) this.open = null;
    this.bytes -= record.bytes;
    this.count -= record.items.length;
    this.flying.set(record.number, record);
    return record;
  }

  private recordFor(kind: Kind, bytes: number): Packed<Kind, Item> {
    const { open, limits } = this;
    const fits =
      open !== null &&
      open.kind === kind &&
      open.items.length < limits.recordItemsMax &&
      open.bytes + bytes <= limits.recordBytesMax;
    if (fits) return open;
    this.open = { number: ++this.lastNumber, kind, items: [], bytes: 0 };
    this.waiting.push(this.open);
    return this.open;
  }

  private hasRoomFor(number: number): boolean {
    const { windowMax, fullWindowMax, spanMax } = this.limits;
    const [oldest] = this.flying.keys();
    const most = this.fillsRecord ? fullWindowMax : windowMax;
    return this.flying.size < most && (oldest === undefined || number - oldest < spanMax);
  }

  /** The record that an acknowledgement settles; null for a second acknowledgement of a record sent twice. */
  settle(number: number): OutboxRecord<Kind, Item> | null {
    const record = this.flying.get(number) ?? null;
    this.flying.delete(number);
    return record;
  }

  /** Everything that is not acknowledged, when the sender gives up. */
  abandonAll(): Item[] {
    const items: Item[] = [];
    // One by one: there may be more of them than a call takes arguments.
    for (const record of this.flying.values()) for (const item of record.items) items.push(item);
    for (const record of this.waiting) for (const item of record.items) items.push(item);
    this.flying.clear();
    this.waiting.clear();
    this.open = null;
    this.bytes = 0;
    this.count = 0;
    return items;
  }
}
