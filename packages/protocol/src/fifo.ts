/** First in, first out. What went is let go at once, and its place when there are many of them: each is moved once at most. */
const GONE_MAX = 1_024;

export class Fifo<T extends string | object> implements Iterable<T> {
  private items: (T | null)[] = [];
  /** So many of them went. */
  private gone = 0;

  get size(): number {
    return this.items.length - this.gone;
  }

  get first(): T | null {
    return this.items[this.gone] ?? null;
  }

  push(item: T): void {
    this.items.push(item);
  }

  shift(): T | null {
    const { first, items } = this;
    if (first === null) return null;
    items[this.gone++] = null;
    if (this.gone === items.length) this.clear();
    else if (this.gone >= GONE_MAX && 2 * this.gone >= items.length) {
      this.items = items.slice(this.gone);
      this.gone = 0;
    }
    return first;
  }

  clear(): void {
    this.items = [];
    this.gone = 0;
  }

  *[Symbol.iterator](): Iterator<T> {
    for (let at = this.gone; at < this.items.length; at++) {
      const item = this.items[at] ?? null;
      if (item !== null) yield item;
    }
  }
}
