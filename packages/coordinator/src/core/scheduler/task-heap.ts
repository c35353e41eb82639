/** Released tasks, the one first that goes first: a binary heap. */
import type { LiveTask } from "../ledger/index.ts";

export class TaskHeap {
  private readonly heap: LiveTask[] = [];

  get size(): number {
    return this.heap.length;
  }

  peek(): LiveTask | null {
    return this.heap[0] ?? null;
  }

  push(task: LiveTask): void {
    const { heap } = this;
    let at = heap.length;
    heap.push(task);
    while (at > 0) {
      const up = (at - 1) >> 1;
      const parent = heap[up];
      if (parent === undefined || !before(task, parent)) break;
      heap[at] = parent;
      at = up;
    }
    heap[at] = task;
  }

  pop(): LiveTask | null {
    const { heap } = this;
    const first = heap[0];
    const last = heap.pop();
    if (first === undefined || last === undefined) return null;
    if (heap.length > 0) this.sink(last);
    return first;
  }

  private sink(task: LiveTask): void {
    const { heap } = this;
    let at = 0;
    for (;;) {
      const left = 2 * at + 1;
      const leftTask = heap[left];
      if (leftTask === undefined) break;
      const rightTask = heap[left + 1];
      const right = rightTask !== undefined && before(rightTask, leftTask);
      const child = right ? rightTask : leftTask;
      if (!before(child, task)) break;
      heap[at] = child;
      at = right ? left + 1 : left;
    }
    heap[at] = task;
  }
}

/** Which of two ready tasks goes first. */
export function before(a: LiveTask, b: LiveTask): boolean {
  return a.priority !== b.priority ? a.priority > b.priority : a.order < b.order;
}
