/** Of small records, those that come within a turn are passed on in one message. */
import { RECORD_BYTES_TARGET } from "./limit-wire.ts";

export type GatherOptions<Item> = {
  readonly bytesOf: (item: Item) => number;
  readonly send: (items: readonly Item[]) => void;
};

/** What is more than this is passed on at once. */
const SMALL_BYTES = RECORD_BYTES_TARGET / 2;

export class Gather<Item> {
  private readonly options: GatherOptions<Item>;
  private items: Item[] = [];
  private bytes = 0;

  constructor(options: GatherOptions<Item>) {
    this.options = options;
  }

  add(items: readonly Item[]): void {
    if (this.items.length === 0) setImmediate(() => this.flush());
    for (const item of items) {
      this.items.push(item);
      this.bytes += this.options.bytesOf(item);
    }
    if (this.bytes > SMALL_BYTES) this.flush();
  }

  private flush(): void {
    const { items } = this;
    if (items.length === 0) return;
    this.items = [];
    this.bytes = 0;
    this.options.send(items);
  }
}
