/** What the scheduler knows of one worker: all of it said by the worker, none of it from the log. */
import type { Presence, Sender, TaskId } from "@weft/protocol";
import { type Out, OutList } from "./out-list.ts";

export type WorkerEntry = {
  readonly id: Sender;
  presence: Presence;
  readonly names: ReadonlySet<string>;
  readonly labels: ReadonlySet<string>;
  readonly out: OutList;
  lastSeenMs: number;
  isBlocked: boolean;
  /** The task that it runs alone, or is being emptied for; null where it takes whatever comes. */
  keptFor: TaskId | null;
};

export function entryOf(id: Sender, presence: Presence, nowMs: number): WorkerEntry {
  const { names, labels } = presence;
  return {
    id,
    presence,
    names: new Set(names),
    labels: new Set(labels),
    out: new OutList(),
    lastSeenMs: nowMs,
    isBlocked: false,
    keptFor: null,
  };
}

/** Attempts that it would still take: its credits less what is out. Never below zero (I5). */
export function freeCredits(worker: WorkerEntry): number {
  const { presence, isBlocked, out } = worker;
  return presence.state === "ready" && !isBlocked ? Math.max(0, presence.credits - out.size) : 0;
}

/** Attempts for each of its slots, with one more; infinite where code that does not stop has them all. */
export function loadOf({ presence, out }: WorkerEntry): number {
  return (out.size + 1) / presence.slots;
}

/** Whether it can run a task of this name and these labels at all. */
export function canRun(worker: WorkerEntry, name: string, labels: readonly string[]): boolean {
  return worker.names.has(name) && (labels.length === 0 || labels.every((label) => worker.labels.has(label)));
}

/**
 * What it has begun, as far as can be told: a worker begins its attempts in the order in which they came, so those that
 * came first fill its slots.
 */
export function* begunAt(worker: WorkerEntry): Iterable<Out> {
  let left = worker.presence.slots;
  for (const each of worker.out) {
    if (left-- <= 0) return;
    yield each;
  }
}
