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
export type Due = { readonly kind: Kind; readonly task: LiveTask };

/** A wait that is shorter than this begins with a record of its own, so that it does not last twice as long. */
const SHORT_MS = 10_000;
const SWEEP_AT = 1_024;

export class Timers {
  private readonly isLive: (task: LiveTask) => boolean;
  /**
   * The heap, in two columns instead of an object for each moment: twice the moment, plus 1 for a wait (of one task and
   * moment the deadline comes first), and the task.
   */
  private keys: number[] = [];
  private tasks: LiveTask[] = [];
  /** Waits that begin with the next control record, with how long they are: of each task the last that it asked for. */
  private fresh = new Map<LiveTask, number>();
  private hasShort = false;
  /** The size at which the heap is looked through for entries that no longer hold. */
  private sweepAt = SWEEP_AT;

  constructor(isLive: (task: LiveTask) => boolean) {
    this.isLive = isLive;
  }

  get size(): number {
    return this.keys.length + this.fresh.size;
  }

  /** The task's state lasts so long at most; replaces the wait before. */
  wait(task: LiveTask, waitMs: number): void {
    task.waitDueMs = NOT_BEGUN;
    this.fresh.set(task, waitMs);
    if (waitMs < SHORT_MS) this.hasShort = true;
  }

  deadline(task: LiveTask, dueMs: number): void {
    this.push(keyOf(dueMs, "deadline"), task);
  }

  /** When the next is due; 0 where a short wait is to begin; null where nothing is. What it names may have been given up. */
  nextDueMs(): number | null {
    const [first] = this.keys;
    if (this.hasShort) return 0;
    return first === undefined ? null : dueOf(first);
  }

  /** Takes out the next that is due; null where none is. */
  takeDue(nowMs: number): Due | null {
    for (;;) {
      const [key] = this.keys;
      const [task] = this.tasks;
      if (key === undefined || task === undefined || dueOf(key) > nowMs) return null;
      this.pop();
      // Two waits of a task, one of them given up, may end at one moment: they come one after the other, and are one.
      const isTwice = this.keys[0] === key && this.tasks[0] === task;
      if (this.holds(key, task) && !isTwice) return { kind: kindOf(key), task };
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
      this.push(keyOf(task.waitDueMs, "wait"), task);
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
    const { waitDueMs, state } = task;
    const { deadlineMs } = task.terms;
    // All of these hold: nothing is to be swept out.
    this.sweepAt = Math.max(this.sweepAt, 2 * this.keys.length + SWEEP_AT);
    if (freshWaitMs !== null) this.wait(task, freshWaitMs);
    else if (waitDueMs !== null && waitDueMs > nowMs) this.push(keyOf(waitDueMs, "wait"), task);
    if (deadlineMs !== null && (deadlineMs > nowMs || state !== "cancelling"))
      this.deadline(task, deadlineMs);
  }

  /** Whether the task has its entry for each moment that it waits for. For tests. */
  knows(task: LiveTask, kind: Kind): boolean {
    if (kind === "wait" && task.waitDueMs === NOT_BEGUN) return this.fresh.has(task);
    const dueMs = kind === "wait" ? task.waitDueMs : task.terms.deadlineMs;
    const key = dueMs === null ? null : keyOf(dueMs, kind);
    return this.keys.some((each, at) => each === key && this.tasks[at] === task);
  }

  private holds(key: number, task: LiveTask): boolean {
    if (!this.isLive(task)) return false;
    return dueOf(key) === (kindOf(key) === "deadline" ? task.terms.deadlineMs : task.waitDueMs);
  }

  private push(key: number, task: LiveTask): void {
    if (this.keys.length >= this.sweepAt) this.sweep();
    const { keys, tasks } = this;
    let at = keys.push(key) - 1;
    tasks.push(task);
    while (at > 0) {
      const up = (at - 1) >> 1;
      if (!this.isBefore(key, task, up)) break;
      this.move(up, at);
      at = up;
    }
    keys[at] = key;
    tasks[at] = task;
  }

  private pop(): void {
    const key = this.keys.pop();
    const task = this.tasks.pop();
    if (key !== undefined && task !== undefined && this.keys.length > 0) this.sink(key, task, 0);
  }

  private sink(key: number, task: LiveTask, from: number): void {
    const { keys, tasks } = this;
    let at = from;
    for (;;) {
      let child = 2 * at + 1;
      const rightKey = keys[child + 1];
      const right = tasks[child + 1];
      if (rightKey !== undefined && right !== undefined && this.isBefore(rightKey, right, child)) child++;
      if (child >= keys.length || this.isBefore(key, task, child)) break;
      this.move(child, at);
      at = child;
    }
    keys[at] = key;
    tasks[at] = task;
  }

  private move(from: number, to: number): void {
    this.keys[to] = this.keys[from] ?? 0;
    const task = this.tasks[from];
    if (task !== undefined) this.tasks[to] = task;
  }

  private sweep(): void {
    const { keys, tasks } = this;
    let kept = 0;
    for (const [at, task] of tasks.entries()) {
      if (!this.holds(keys[at] ?? 0, task)) continue;
      this.move(at, kept++);
    }
    keys.length = kept;
    tasks.length = kept;
    for (let at = (kept >> 1) - 1; at >= 0; at--) {
      const task = tasks[at];
      if (task !== undefined) this.sink(keys[at] ?? 0, task, at);
    }
    this.sweepAt = Math.max(SWEEP_AT, 2 * kept);
  }

  /** Whether it comes before the one at that place: by its moment, then by the age of its task. */
  private isBefore(key: number, task: LiveTask, at: number): boolean {
    const otherKey = this.keys[at] ?? 0;
    const dueMs = dueOf(key);
    const otherMs = dueOf(otherKey);
    if (dueMs !== otherMs) return dueMs < otherMs;
    const order = this.tasks[at]?.order ?? 0;
    return task.order !== order ? task.order < order : key < otherKey;
  }
}

function keyOf(dueMs: number, kind: Kind): number {
  return dueMs * 2 + (kind === "wait" ? 1 : 0);
}

function dueOf(key: number): number {
  return Math.floor(key / 2);
}

function kindOf(key: number): Kind {
  return key % 2 === 1 ? "wait" : "deadline";
}
