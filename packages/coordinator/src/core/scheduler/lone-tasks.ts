/**
 * Tasks that lost several workers already: each runs alone on its worker, so that it takes nobody else with it, and so
 * that the next loss is evidence against it and not against its neighbours.
 */
import type { Sender, TaskId } from "@weft/protocol";
import type { LiveTask } from "../ledger/index.ts";
import { before } from "./task-heap.ts";
import { canRun, freeCredits, type WorkerEntry } from "./worker-entry.ts";

/** After so many lost workers a task is dispatched alone. */
const LOSSES_MIN = 2;

export function runsAlone(task: LiveTask): boolean {
  return task.losses.length >= LOSSES_MIN;
}

export class LoneTasks {
  private readonly waiting = new Map<TaskId, LiveTask>();

  get size(): number {
    return this.waiting.size;
  }

  add(task: LiveTask): void {
    this.waiting.set(task.id, task);
  }

  /** Whether it waited here. */
  delete(id: TaskId): boolean {
    return this.waiting.delete(id);
  }

  /** In the order in which they go. What is not `placeable` any more is dropped. */
  inOrder(isPlaceable: (task: LiveTask) => boolean): LiveTask[] {
    for (const task of this.waiting.values()) if (!isPlaceable(task)) this.waiting.delete(task.id);
    return [...this.waiting.values()].sort((a, b) => (before(a, b) ? -1 : 1));
  }
}

/**
 * The worker that takes the task now: one with nothing out. Null where there is none; then one is emptied for it, unless
 * half of the workers are kept for such tasks already.
 */
export function loneWorker(workers: ReadonlyMap<Sender, WorkerEntry>, task: LiveTask): WorkerEntry | null {
  const all = [...workers.values()];
  const able = all.filter((worker) => canRun(worker, task.name, task.terms.labels));
  const own = able.filter((worker) => worker.keptFor === task.id);
  const open = able.filter((worker) => worker.keptFor === null && freeCredits(worker) > 0);
  const empty = [...own, ...open].find((worker) => worker.out.size === 0 && freeCredits(worker) > 0);
  if (empty !== undefined) {
    for (const worker of own) if (worker !== empty) worker.keptFor = null;
    return empty;
  }
  const kept = all.filter((worker) => worker.keptFor !== null).length;
  if (own.length > 0 || kept >= Math.ceil(all.length / 2)) return null;
  const leastBusy = able
    .filter((worker) => worker.keptFor === null && worker.presence.state === "ready" && !worker.isBlocked)
    .sort((a, b) => a.out.size - b.out.size)[0];
  if (leastBusy !== undefined) leastBusy.keptFor = task.id;
  return null;
}
