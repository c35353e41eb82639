/**
 * Tasks that tasks submit. A child belongs to an attempt of its parent; a parent that is run again and submits the same
 * child finds it as it is. A child does not outlive a parent that did not succeed, nor one whose last attempt did not ask
 * for it.
 */
import type { Submission } from "@weft/protocol";
import type { LedgerState } from "./state.ts";
import { isReleased, type LiveTask } from "./task.ts";

export function bear(ledger: LedgerState, task: LiveTask): void {
  if (task.parent === null) return;
  const siblings = ledger.children.get(task.parent.id);
  if (siblings === undefined) ledger.children.set(task.parent.id, new Set([task]));
  else siblings.add(task);
}

/** The child has settled. */
export function bury(ledger: LedgerState, task: LiveTask): void {
  if (task.parent === null) return;
  const siblings = ledger.children.get(task.parent.id);
  siblings?.delete(task);
  if (siblings?.size === 0) ledger.children.delete(task.parent.id);
}

/** A later attempt of its parent asks for a child that is there already. */
export function adopt(ledger: LedgerState, { id, options }: Submission): void {
  const task = ledger.live.get(id);
  const asking = options?.parent ?? null;
  if (task === undefined || asking === null || task.parent?.id !== asking.id) return;
  const parent = ledger.live.get(asking.id);
  if (parent === undefined || parent.attempt !== asking.attempt || !isReleased(parent)) return;
  task.parent = { id: parent.id, attempt: asking.attempt };
}

/** The task has its outcome: which of its children have nobody left who wants them. */
export function orphan(ledger: LedgerState, task: LiveTask, succeeded: boolean): void {
  const children = ledger.children.size === 0 ? undefined : ledger.children.get(task.id);
  if (children === undefined) return;
  for (const child of children) {
    if (!succeeded || child.parent?.attempt !== task.attempt) ledger.orphans.push(child);
  }
}
