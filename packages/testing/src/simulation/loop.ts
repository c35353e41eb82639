/**
 * The time of a simulation: events in the order of their moment, one after another. Between two events everything that
 * the first one set in motion (promises) comes to rest, so that a seed plays the same way each time.
 */

export type SimTimer = { readonly cancel: () => void };

type Event = { readonly atMs: number; readonly order: number; act: (() => void) | null };

export class SimLoop {
  private readonly heap: Event[] = [];
  private order = 0;
  private time = 0;
  /** Events played so far. */
  played = 0;

  get nowMs(): number {
    return this.time;
  }

  after(waitMs: number, act: () => void): SimTimer {
    const event: Event = { atMs: this.time + Math.max(0, waitMs), order: this.order++, act };
    this.push(event);
    return {
      cancel: () => {
        event.act = null;
      },
    };
  }

  /** Plays events until none is left before `untilMs`, or `isDone` says so after one. True where it did. */
  async play(untilMs: number, isDone: () => boolean = () => false): Promise<boolean> {
    await atRest();
    while (!isDone()) {
      const next = this.heap[0];
      if (next === undefined || next.atMs > untilMs) {
        this.time = Math.max(this.time, untilMs);
        return false;
      }
      this.pop();
      if (next.act === null) continue;
      this.time = next.atMs;
      this.played++;
      next.act();
      await atRest();
    }
    return true;
  }

  private push(event: Event): void {
    const { heap } = this;
    let at = heap.length;
    heap.push(event);
    while (at > 0) {
      const up = (at - 1) >> 1;
      const parent = heap[up];
      if (parent === undefined || !isBefore(event, parent)) break;
      heap[at] = parent;
      at = up;
    }
    heap[at] = event;
  }

  private pop(): void {
    const { heap } = this;
    const last = heap.pop();
    if (last === undefined || heap.length === 0) return;
    let at = 0;
    for (;;) {
      const left = heap[2 * at + 1];
      const right = heap[2 * at + 2];
      const isRight = left !== undefined && right !== undefined && isBefore(right, left);
      const child = isRight ? right : left;
      if (child === undefined || !isBefore(child, last)) break;
      heap[at] = child;
      at = 2 * at + (isRight ? 2 : 1);
    }
    heap[at] = last;
  }
}

function isBefore(a: Event, b: Event): boolean {
  return a.atMs !== b.atMs ? a.atMs < b.atMs : a.order < b.order;
}

/** All promises that can settle have settled. */
function atRest(): Promise<void> {
  return new Promise((rest) => {
    setImmediate(rest);
  });
}
