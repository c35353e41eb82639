/**
 * The scheduler: which released task goes to which worker. Pure and synchronous like the ledger, but soft: it is rebuilt
 * from what workers say and can be thrown away at any moment. The ledger never depends on it.
 *
 * S1 A worker never has more attempts out than the credits it gave (I5).
 * S2 An attempt is out at one worker at most; a released task is ready, held back or out.
 * S3 A task that lost several workers is placed on a worker that has nothing else out, and nothing is placed beside it.
 * S4 An attempt that the worker should have and does not hold is sent again, not lost.
 */
import type { Presence, Sender, TaskId } from "@weft/protocol";
import { isReleased, type LiveTask } from "../ledger/index.ts";
import { LoneTasks, loneWorker, runsAlone } from "./lone-tasks.ts";
import type { Out } from "./out-list.ts";
import { ReadyQueue } from "./ready-queue.ts";
import { before } from "./task-heap.ts";
import { begunAt, canRun, entryOf, freeCredits, loadOf, type WorkerEntry } from "./worker-entry.ts";

/** An attempt that left its worker without a finish. */
export type Orphan = {
  readonly task: LiveTask;
  readonly attempt: number;
  /** Whether its code may have begun. */
  readonly isBegun: boolean;
};

/** What a presence told of an attempt that should not be there. */
export type PresenceFindings = {
  /** Held by the worker, but not its to run. */
  readonly stray: readonly { readonly id: TaskId; readonly attempt: number }[];
  /** Held by the worker while somebody wants it stopped: it may have missed the word. */
  readonly cancelling: readonly LiveTask[];
  readonly isNew: boolean;
};

type Shape = {
  readonly key: string;
  readonly name: string;
  readonly labels: readonly string[];
  readonly queue: ReadyQueue;
};

/** What a worker would still take, while tasks are placed. */
type Room = { readonly worker: WorkerEntry; free: number };

export class Scheduler {
  readonly workers: Map<Sender, WorkerEntry> = new Map();
  private readonly shapes = new Map<string, Shape>();
  private readonly lone = new LoneTasks();
  /** Released before this leader was elected: kept back until the workers have said what they hold. */
  private readonly heldBack = new Map<TaskId, LiveTask>();
  private readonly liveTask: (id: TaskId) => LiveTask | undefined;

  constructor(liveTask: (id: TaskId) => LiveTask | undefined) {
    this.liveTask = liveTask;
  }

  get readyCount(): number {
    let count = this.lone.size;
    for (const shape of this.shapes.values()) count += shape.queue.size;
    return count;
  }

  get heldBackCount(): number {
    return this.heldBack.size;
  }

  /** A task may run: it is placed as soon as a worker has room. */
  ready(task: LiveTask): void {
    if (runsAlone(task)) this.lone.add(task);
    else this.shapeOf(task).queue.push(task);
  }

  /** Live tasks of another leader's: somebody may hold those that are released. */
  takeOver(tasks: Iterable<LiveTask>): void {
    for (const task of tasks) {
      task.placement = null;
      if (isReleased(task)) this.heldBack.set(task.id, task);
    }
  }

  /** The workers have spoken: what nobody claimed is ready. Returns what was cancelled meanwhile and nobody holds. */
  releaseHeldBack(): Orphan[] {
    const orphans: Orphan[] = [];
    for (const task of this.heldBack.values()) {
      if (task.isSettled) continue;
      if (task.state === "cancelling") orphans.push({ task, attempt: task.attempt, isBegun: false });
      else this.ready(task);
    }
    this.heldBack.clear();
    return orphans;
  }

  /** The attempt is over: its credit is free again. Answers where it was out. */
  over(task: LiveTask): WorkerEntry | null {
    const { id } = task;
    const out = outOf(task);
    if (out !== null) this.leaves(out);
    if (this.heldBack.size > 0) this.heldBack.delete(id);
    // One may be kept for it that it never got to.
    if (this.lone.size > 0 && this.lone.delete(id))
      for (const each of this.workers.values()) if (each.keptFor === id) each.keptFor = null;
    return out?.worker ?? null;
  }

  private leaves(out: Out): void {
    const { task, worker } = out;
    worker.out.delete(out);
    task.placement = null;
    if (worker.keptFor === task.id) worker.keptFor = null;
  }

  workerOf(id: TaskId): WorkerEntry | null {
    return this.outWith(id)?.worker ?? null;
  }

  private outWith(id: TaskId): Out | null {
    const task = this.liveTask(id);
    return task === undefined ? null : outOf(task);
  }

  /** Whether it is there still. */
  isOut(out: Out): boolean {
    return out.task.placement === out;
  }

  isHeldBack(id: TaskId): boolean {
    return this.heldBack.has(id);
  }

  seen(id: Sender, presence: Presence, nowMs: number): PresenceFindings {
    const known = this.workers.get(id);
    const isNew = known === undefined;
    const worker = known ?? entryOf(id, presence, nowMs);
    worker.presence = presence;
    worker.lastSeenMs = nowMs;
    worker.isBlocked = false;
    if (isNew) this.workers.set(id, worker);
    const stray: { id: TaskId; attempt: number }[] = [];
    const cancelling: LiveTask[] = [];
    for (const held of presence.held) {
      const task = this.liveTask(held.id);
      const at = task === undefined ? undefined : outOf(task)?.worker;
      if (task?.state === "cancelling" && task.attempt === held.attempt) cancelling.push(task);
      if (at === worker) continue;
      const claimable = task !== undefined && isReleased(task) && task.attempt === held.attempt;
      if (claimable && at === undefined) this.claim(worker, task);
      else stray.push(held);
    }
    return { stray, cancelling, isNew };
  }

  /** A worker holds an attempt that this leader did not send: taken over from the leader before. */
  private claim(worker: WorkerEntry, task: LiveTask): void {
    this.heldBack.delete(task.id);
    this.takes(worker, task, 0);
  }

  private takes(worker: WorkerEntry, task: LiveTask, message: number | null): Out {
    const out: Out = {
      task,
      worker,
      attempt: task.attempt,
      message,
      begunAtMs: null,
      isExpired: false,
      before: null,
      after: null,
    };
    worker.out.add(out);
    task.placement = out;
    if (runsAlone(task)) worker.keptFor = task.id;
    return out;
  }

  /** It is in no message yet: whoever sends it says in which (`message`), so that a lost message is found out. */
  private placed(worker: WorkerEntry, task: LiveTask): Out {
    return this.takes(worker, task, null);
  }

  /**
   * Attempts that the worker should hold by its own word and does not: their message was lost (S4). `foldedSeq` must
   * have reached what the worker has appended, else a finish on its way would look like a loss.
   */
  takeMissing(id: Sender, epoch: number, foldedSeq: number): LiveTask[] {
    const worker = this.workers.get(id);
    if (worker === undefined) return [];
    const { presence } = worker;
    if (presence.epoch !== epoch || presence.appendedSeq > foldedSeq) return [];
    const held = new Set(presence.held.map((each) => each.id));
    const missing: LiveTask[] = [];
    for (const out of worker.out) {
      const { task } = out;
      if (out.message === null || out.message > presence.seen || held.has(task.id)) continue;
      this.leaves(out);
      if (isCurrent(out)) missing.push(task);
    }
    return missing;
  }

  /** It answers and does not take anything in: nothing more is placed there until its next presence. */
  block(id: Sender): void {
    const worker = this.workers.get(id);
    if (worker !== undefined) worker.isBlocked = true;
  }

  /** Takes back what the worker has not begun. */
  takeUnstarted(id: Sender, begun: readonly { readonly id: TaskId; readonly attempt: number }[]): Orphan[] {
    const worker = this.workers.get(id);
    if (worker === undefined) return [];
    const running = new Map(begun.map((each) => [each.id, each.attempt]));
    const taken: Orphan[] = [];
    for (const out of worker.out) {
      const { task, attempt } = out;
      if (running.get(task.id) === attempt) continue;
      this.leaves(out);
      if (isCurrent(out)) taken.push({ task, attempt, isBegun: false });
    }
    return taken;
  }

  /** The worker is gone with everything it held. */
  gone(id: Sender): Orphan[] {
    const worker = this.workers.get(id);
    if (worker === undefined) return [];
    this.workers.delete(id);
    const begun = new Set(begunAt(worker));
    const orphans: Orphan[] = [];
    for (const out of worker.out) {
      const { task, attempt } = out;
      task.placement = null;
      if (isCurrent(out)) orphans.push({ task, attempt, isBegun: begun.has(out) });
    }
    return orphans;
  }

  /** Whether a worker has begun the task's current attempt, as far as can be told. */
  isBegun(id: TaskId): boolean {
    const out = this.outWith(id);
    if (out !== null) for (const each of begunAt(out.worker)) if (each === out) return true;
    return false;
  }

  /**
   * Attempts that run for longer than they may, their worker's grace and a margin included: it did not see to it. Each is
   * told once. To be asked often: from when an attempt runs is only known to that.
   */
  takeExpired(nowMs: number, marginMs: number): LiveTask[] {
    const expired: LiveTask[] = [];
    for (const worker of this.workers.values()) {
      for (const out of begunAt(worker)) {
        out.begunAtMs ??= nowMs;
        const { task } = out;
        const { timeoutMs } = task.terms;
        if (timeoutMs === null || out.isExpired || !isCurrent(out)) continue;
        if (nowMs - out.begunAtMs < timeoutMs + worker.presence.graceMs + marginMs) continue;
        out.isExpired = true;
        expired.push(task);
      }
    }
    return expired;
  }

  /** Whether any live worker could run the task. */
  hasWorkerFor(task: LiveTask): boolean {
    for (const worker of this.workers.values()) if (canRun(worker, task.name, task.terms.labels)) return true;
    return false;
  }

  /** Places ready tasks on free credits until either runs out. */
  place(): Out[] {
    const placements = this.placeLone();
    let open = [...this.shapes.values()].filter((shape) => shape.queue.size > 0);
    let room = open.length === 0 ? [] : this.roomOfWorkers();
    while (open.length > 0 && room.length > 0) {
      const shape = firstOf(open);
      const best = bestOf(room, shape);
      const task = best === null ? null : shape.queue.pop();
      if (best !== null && task !== null && this.isPlaceable(task)) {
        placements.push(this.placed(best.worker, task));
        if (--best.free === 0) room = room.filter((each) => each !== best);
      }
      if (best === null || shape.queue.size === 0) open = open.filter((each) => each !== shape);
    }
    this.dropEmptyShapes();
    return placements;
  }

  /** The workers that would take more than they have. */
  private roomOfWorkers(): Room[] {
    const room: Room[] = [];
    for (const worker of this.workers.values()) {
      const free = worker.keptFor === null ? freeCredits(worker) : 0;
      if (free > 0) room.push({ worker, free });
    }
    return room;
  }

  private placeLone(): Out[] {
    const placements: Out[] = [];
    if (this.lone.size === 0) return placements;
    const waiting = this.lone.inOrder((task) => this.isPlaceable(task));
    for (const worker of this.workers.values()) {
      const { keptFor } = worker;
      const isWanted =
        keptFor !== null && (this.workerOf(keptFor) === worker || waiting.some(({ id }) => id === keptFor));
      if (!isWanted) worker.keptFor = null;
    }
    for (const task of waiting) {
      const worker = loneWorker(this.workers, task);
      if (worker === null) continue;
      this.lone.delete(task.id);
      placements.push(this.placed(worker, task));
    }
    return placements;
  }

  /** A task that settled or left while it was in a queue is passed over: queues are not searched. */
  private isPlaceable(task: LiveTask): boolean {
    return task.state === "released" && !task.isSettled && task.placement === null;
  }

  private shapeOf(task: LiveTask): Shape {
    const key =
      task.terms.labels.length === 0 ? task.name : `${task.name} ${[...task.terms.labels].sort().join(" ")}`;
    let shape = this.shapes.get(key);
    if (shape === undefined) {
      shape = { key, name: task.name, labels: task.terms.labels, queue: new ReadyQueue() };
      this.shapes.set(key, shape);
    }
    return shape;
  }

  private dropEmptyShapes(): void {
    for (const [key, shape] of this.shapes) if (shape.queue.size === 0) this.shapes.delete(key);
  }
}

/** Where the current attempt of a released task is out; null where it is not. Nobody but the scheduler notes anything of a task. */
function outOf(task: LiveTask): Out | null {
  return task.placement as Out | null;
}

/** Whether this attempt may still end its task. */
function isCurrent({ task, attempt }: Out): boolean {
  return !task.isSettled && task.attempt === attempt;
}

/**
 * The one with the least to do for each slot that can run them: what waits in a worker with a long line would run sooner where
 * a slot is free. Of several the one with the most room, and of these the first.
 */
function bestOf(room: readonly Room[], { name, labels }: Shape): Room | null {
  let best: Room | null = null;
  let bestLoad = 0;
  for (const each of room) {
    const load = loadOf(each.worker);
    if (best !== null && (load > bestLoad || (load === bestLoad && each.free <= best.free))) continue;
    if (!canRun(each.worker, name, labels)) continue;
    best = each;
    bestLoad = load;
  }
  return best;
}

/** The shape whose first task goes before those of the others. */
function firstOf(shapes: readonly Shape[]): Shape {
  if (shapes.length === 1) return shapes[0] as Shape;
  let first = shapes[0];
  let firstTask = first?.queue.peek() ?? null;
  for (const shape of shapes) {
    const task = shape.queue.peek();
    if (task !== null && (firstTask === null || before(task, firstTask))) {
      first = shape;
      firstTask = task;
    }
  }
  return first as Shape;
}
