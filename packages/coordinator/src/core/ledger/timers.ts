/**
 * Moments that live tasks wait for, by the ledger's clock: a binary heap of (moment, age of the task), so that what is due
 * comes in one order everywhere. Which tasks wait for what is in the tasks themselves (`waitDueMs`, `deadlineMs`); an
 * entry that its task no longer agrees with is passed over, and swept out once such entries are the greater part.
 *
 * A relative wait begins with the first control record after it was asked for: the clock stands still while no leader
 * ticks, and what came in such a pause must not be late when the clock catches up.
 */
import { DefectError } from "@weft/protocol";
import { type LiveTask, NOT_BEGUN } from "./task.ts";

type Kind = "wait" | "deadline";
type Entry = { readonly dueMs: number; readonly kind: Kind; readonly task: LiveTask };
export type Due = { readonly kind: Kind; readonly task: LiveTask };

/** A wait that is shorter than this begins with a record of its own, so that it does not last twice as long. */
const SHORT_MS = 10_000;
const SWEEP_AT = 1_024;

export class Timers {
  private readonly isLive: (task: LiveTask) => boolean;
  private heap: Entry[] = [];
  /** Waits that begin with the next control record, with how long they are: of each task the last that it asked for. */
  private fresh = new Map<LiveTask, number>();
  private hasShort = false;
  /** The size at which the heap is looked through for entries that no longer hold. */
  private sweepAt = SWEEP_AT;

  constructor(isLive: (task: LiveTask) => boolean) {
    this.isLive = isLive;
  }

  get size(): number {
    return this.heap.length + this.fresh.size;
  }

  /** The task's state lasts so long at most; replaces the wait before. */
  wait(task: LiveTask, waitMs: number): void {
    task.waitDueMs = NOT_BEGUN;
    this.fresh.set(task, waitMs);
    if (waitMs < SHORT_MS) this.hasShort = true;
  }

  deadline(task: LiveTask, dueMs: number): void {
    this.push({ dueMs, kind: "deadline", task });
  }

  /** When the next is due; 0 where a short wait is to begin; null where nothing is. What it names may have been given up. */
  nextDueMs(): number | null {
    return this.hasShort ? 0 : (this.heap[0]?.dueMs ?? null);
  }

  /** Takes out the next that is due; null where none is. */
  takeDue(nowMs: number): Due | null {
    for (;;) {
      const first = this.heap[0];
      if (first === undefined || first.dueMs > nowMs) return null;
      this.pop();
      if (this.holds(first) && !this.isTwice(first)) return first;
    }
  }

  /** Begins the waits that were asked for since the last control record. */
  begin(nowMs: number): void {
    const { fresh } = this;
    this.fresh = new Map();
    this.hasShort = false;
    for (const [task, waitMs] of fresh) {
      if (task.waitDueMs !== NOT_BEGUN || !this.isLive(task)) continue;
      task.waitDueMs = nowMs + waitMs;
      this.push({ dueMs: task.waitDueMs, kind: "wait", task });
    }
  }

  /** How long the wait is that the task asked for and that has not begun. */
  freshWaitMs(task: LiveTask): number {
    const waitMs = this.fresh.get(task);
    if (waitMs === undefined) throw new DefectError(`the wait of ${task.id} is to begin, and not known`);
    return waitMs;
  }

  /**
   * Enters what a task waits for that was read from a checkpoint. A moment that has passed was told before: only a deadline
   * that was over when its task was submitted is still to be.
   */
  resume(task: LiveTask, freshWaitMs: number | null, nowMs: number): void {
    const { waitDueMs, deadlineMs, state } = task;
    if (freshWaitMs !== null) this.wait(task, freshWaitMs);
    else if (waitDueMs !== null && waitDueMs > nowMs) this.push({ dueMs: waitDueMs, kind: "wait", task });
    if (deadlineMs !== null && (deadlineMs > nowMs || state !== "cancelling"))
      this.deadline(task, deadlineMs);
  }

  /** Whether the task has its entry for each moment that it waits for. For tests. */
  knows(task: LiveTask, kind: Kind): boolean {
    if (kind === "wait" && task.waitDueMs === NOT_BEGUN) return this.fresh.has(task);
    const dueMs = kind === "wait" ? task.waitDueMs : task.deadlineMs;
    return this.heap.some((each) => each.task === task && each.kind === kind && each.dueMs === dueMs);
  }

  private holds({ dueMs, kind, task }: Entry): boolean {
    if (!this.isLive(task)) return false;
    return kind === "deadline" ? task.deadlineMs === dueMs : task.waitDueMs === dueMs;
  }

  /** Two waits of a task, one of them given up, may end at one moment: they come one after the other, and are one. */
  private isTwice({ dueMs, kind, task }: Entry): boolean {
    const next = this.heap[0];
    return next !== undefined && next.task === task && next.kind === kind && next.dueMs === dueMs;
  }

  private push(entry: Entry): void {
    if (this.heap.length >= this.sweepAt) this.sweep();
    const { heap } = this;
    let at = heap.length;
    heap.push(entry);
    while (at > 0) {
      const up = (at - 1) >> 1;
      const parent = heap[up];
      if (parent === undefined || !before(entry, parent)) break;
      heap[at] = parent;
      at = up;
    }
    heap[at] = entry;
  }

  private pop(): void {
    const last = this.heap.pop();
    if (last !== undefined && this.heap.length > 0) this.sink(last, 0);
  }

  private sink(entry: Entry, from: number): void {
    const { heap } = this;
    let at = from;
    for (;;) {
      const left = heap[2 * at + 1];
      if (left === undefined) break;
      const right = heap[2 * at + 2];
      const isRight = right !== undefined && before(right, left);
      const child = isRight ? right : left;
      if (!before(child, entry)) break;
      heap[at] = child;
      at = 2 * at + (isRight ? 2 : 1);
    }
    heap[at] = entry;
  }

  private sweep(): void {
    this.heap = this.heap.filter((entry) => this.holds(entry));
    for (let at = (this.heap.length >> 1) - 1; at >= 0; at--) {
      const entry = this.heap[at];
      if (entry !== undefined) this.sink(entry, at);
    }
    this.sweepAt = Math.max(SWEEP_AT, 2 * this.heap.length);
  }
}

function before(a: Entry, b: Entry): boolean {
  if (a.dueMs !== b.dueMs) return a.dueMs < b.dueMs;
  if (a.task.order !== b.task.order) return a.task.order < b.task.order;
  return a.kind === "deadline" && b.kind === "wait";
}
