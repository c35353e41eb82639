/** How attempts end: by a worker's finish, or with their worker. */
import type { Finish, FinishRecord, LostAttempt, Stopped } from "@weft/protocol";
import { end, settle } from "./settle.ts";
import type { LedgerState } from "./state.ts";
import type { LiveTask, Position, Verdict } from "./task.ts";

/** A task whose attempts took this many workers with them is not tried again. */
const WORKER_LOSSES_MAX = 5;

export function finishAll(ledger: LedgerState, seq: number, record: FinishRecord): void {
  for (let index = 0; index < record.finishes.length; index++) {
    const each = record.finishes[index];
    if (each !== undefined) finish(ledger, each, { seq, index });
  }
}

function finish(ledger: LedgerState, given: Finish, position: Position): void {
  const task = ledger.live.get(given.id);
  if (task === undefined) {
    return ledger.void(
      ledger.settled.has(given.id) ? "finish of a settled task" : "finish of an unknown task",
    );
  }
  if (task.state === "waiting" || task.attempt !== given.attempt) {
    return ledger.void("finish of an attempt that is not current");
  }
  if (given.started) task.tries++;
  if (given.outcome === "returned") return reopen(ledger, task, "before_start");
  const { outcome, progress, value } = given;
  if (outcome !== "cancelled" && outcome !== "terminated") {
    return settle(ledger, task, { outcome, finish: position, verdict: null, progress, value });
  }
  const stopped = outcome === "terminated" ? outcome : given.started ? "while_running" : "before_start";
  const verdict: Verdict = { type: "cancelled", reason: task.cancelReason, stopped };
  settle(ledger, task, { outcome: "cancelled", finish: position, verdict, progress, value: null });
}

export function lose(ledger: LedgerState, lost: LostAttempt): void {
  const task = ledger.live.get(lost.id);
  if (task === undefined || task.state === "waiting" || task.attempt !== lost.attempt) {
    return ledger.void("loss of an attempt that is not current");
  }
  if (lost.started) task.tries++;
  if (lost.workerLost) task.workerLosses++;
  if (task.workerLosses >= WORKER_LOSSES_MAX && task.state === "released") {
    return end(ledger, task, "failed", { type: "workers_lost", losses: task.workerLosses });
  }
  reopen(ledger, task, lost.started ? "while_running" : "before_start");
}

/** The attempt is over without an outcome: another one, unless somebody wanted the task stopped. */
function reopen(ledger: LedgerState, task: LiveTask, stopped: Stopped): void {
  if (task.state === "cancelling") {
    return end(ledger, task, "cancelled", { type: "cancelled", reason: task.cancelReason, stopped });
  }
  const previous = task.attempt++;
  ledger.effects.push({ type: "attempt_opened", task, previous });
}
