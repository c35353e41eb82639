/** What the scheduler knows of one worker: all of it said by the worker, none of it from the log. */
import type { Presence, Sender, TaskId } from "@weft/protocol";

/** An attempt out at a worker, and the message that took it there. */
type Out = { readonly attempt: number; message: number };

export type WorkerEntry = {
  readonly id: Sender;
  presence: Presence;
  readonly names: ReadonlySet<string>;
  readonly labels: ReadonlySet<string>;
  readonly out: Map<TaskId, Out>;
  lastSeenMs: number;
  isBlocked: boolean;
};

export function entryOf(id: Sender, presence: Presence, nowMs: number): WorkerEntry {
  const { names, labels } = presence;
  return {
    id,
    presence,
    names: new Set(names),
    labels: new Set(labels),
    out: new Map(),
    lastSeenMs: nowMs,
    isBlocked: false,
  };
}

/** Attempts that it would still take: its credits less what is out. Never below zero (I5). */
export function freeCredits(worker: WorkerEntry): number {
  const { presence, isBlocked, out } = worker;
  return presence.state === "ready" && !isBlocked ? Math.max(0, presence.credits - out.size) : 0;
}

/** Whether it can run a task of this name and these labels at all. */
export function canRun(worker: WorkerEntry, name: string, labels: readonly string[]): boolean {
  return worker.names.has(name) && labels.every((label) => worker.labels.has(label));
}
