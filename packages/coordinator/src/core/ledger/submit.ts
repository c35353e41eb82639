/** Takes tasks in, or refuses them. */
import { type Sender, type Submission, type SubmitRecord, TaskId } from "@weft/protocol";
import { findCycle } from "./cycle.ts";
import { link } from "./link.ts";
import { end } from "./settle.ts";
import type { LedgerState } from "./state.ts";
import type { LiveTask, Position, Verdict } from "./task.ts";

export function submitAll(ledger: LedgerState, seq: number, owner: Sender, record: SubmitRecord): void {
  for (let index = 0; index < record.tasks.length; index++) {
    const submission = record.tasks[index];
    if (submission === undefined) continue;
    const { id } = submission;
    if (TaskId.partition(id) !== ledger.config.partition) ledger.void("task of another partition");
    else if (ledger.live.has(id) || ledger.settled.has(id))
      ledger.effects.push({ type: "submitted_again", id, sender: owner });
    else take(ledger, submission, owner, { seq, index });
  }
}

function take(ledger: LedgerState, submission: Submission, owner: Sender, submitted: Position): void {
  const { id, name, dependsOn, options } = submission;
  const task: LiveTask = {
    id,
    name,
    owner,
    priority: options?.priority ?? 0,
    labels: options?.labels ?? [],
    dependencies: dependsOn,
    parent: options?.parent ?? null,
    traceparent: options?.traceparent ?? null,
    submitted,
    submittedAtMs: ledger.clock.nowMs,
    order: ledger.nextOrder++,
    state: "waiting",
    attempt: 1,
    tries: 0,
    workerLosses: 0,
    unmet: 0,
    dependents: ledger.unknown.get(id) ?? [],
    cancelReason: null,
  };
  const awaited = ledger.unknown.delete(id);
  if (awaited) ledger.unknownDeadlines.delete(id);
  ledger.live.set(id, task);
  ledger.effects.push({ type: "submitted", task });
  const verdict = refusal(ledger, task, awaited);
  if (verdict === null) link(ledger, task);
  else end(ledger, task, verdict.type === "cancelled" ? "cancelled" : "rejected", verdict);
}

/** Why the task cannot be taken; null where it can. */
function refusal(ledger: LedgerState, task: LiveTask, awaited: boolean): Verdict | null {
  const { parent } = task;
  if (parent !== null) {
    const current = ledger.live.get(parent.id);
    if (current === undefined || current.attempt !== parent.attempt || current.state === "waiting") {
      return { type: "parent_gone", parent: parent.id, attempt: parent.attempt };
    }
  }
  const reason = ledger.earlyCancels.get(task.id);
  if (reason !== undefined) {
    ledger.earlyCancels.delete(task.id);
    ledger.earlyCancelDeadlines.delete(task.id);
    return { type: "cancelled", reason, stopped: "before_release" };
  }
  // A cycle is closed by its last edge, so only a task that somebody waits for already, or that names itself, can close one.
  if (!awaited && !task.dependencies.includes(task.id)) return null;
  const path = findCycle(task.id, task.dependencies, ledger.live);
  return path === null ? null : { type: "cycle", path };
}
