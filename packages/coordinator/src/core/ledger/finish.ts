/** How attempts end: by a worker's finish, with their worker, or for lack of time. What follows is an outcome or another try. */
import {
  type ExpiredAttempt,
  type Finish,
  type FinishFailure,
  type FinishRecord,
  type LostAttempt,
  type Stopped,
  WORKER_LOSSES_MAX,
} from "@weft/protocol";
import { backoffMs, retryDelayMs } from "./retry.ts";
import { awaitBeginning, cancelled, end, endCancelled, endTimedOut, settle } from "./settle.ts";
import type { LedgerState } from "./state.ts";
import { isReleased, type LiveTask, type Position, type Verdict } from "./task.ts";

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
  if (!isReleased(task) || task.attempt !== given.attempt) {
    return ledger.void("finish of an attempt that is not current");
  }
  if (given.started) task.tries++;
  const { outcome, progress, value, failure } = given;
  switch (outcome) {
    case "returned":
      return reopen(ledger, task, "before_start");
    case "cancelled":
    case "terminated": {
      const stopped = outcome === "terminated" ? outcome : given.started ? "while_running" : "before_start";
      const verdict = cancelled(task.cancel?.reason ?? null, stopped, task.cancel);
      return settle(ledger, task, { outcome: "cancelled", finish: position, verdict, progress, value: null });
    }
    case "timed_out":
      if (tryAgain(ledger, task, TIMED_OUT)) return;
      return settle(ledger, task, {
        outcome,
        finish: position,
        verdict: overTime(task),
        progress,
        value: null,
      });
    case "failed":
      if (tryAgain(ledger, task, failure ?? UNNAMED)) return;
      break;
    case "succeeded":
      break;
  }
  settle(ledger, task, { outcome, finish: position, verdict: null, progress, value });
}

const TIMED_OUT: FinishFailure = { errorName: "TaskTimedOutError", nonRetryable: false, retryAfterMs: null };
const UNNAMED: FinishFailure = { errorName: "Error", nonRetryable: false, retryAfterMs: null };

function overTime(task: LiveTask): Verdict {
  return { type: "timed_out", limit: "run", ms: task.terms.timeoutMs ?? 0 };
}

/** False where this was the last try: by the policy, or because somebody wants the task stopped. */
function tryAgain(ledger: LedgerState, task: LiveTask, failure: FinishFailure): boolean {
  const { retry } = task.terms;
  task.lastError = ledger.names.one(failure.errorName);
  if (retry === null || task.state === "cancelling") return false;
  const delayMs = retryDelayMs(retry, task, failure);
  if (delayMs === null) return false;
  openAttempt(ledger, task, delayMs);
  return true;
}

/** A leader reports that an attempt is out at nobody any more. */
export function lose(ledger: LedgerState, lost: LostAttempt): void {
  const task = ledger.live.get(lost.id);
  if (task === undefined || !isReleased(task) || task.attempt !== lost.attempt) {
    return ledger.void("loss of an attempt that is not current");
  }
  if (lost.started) task.tries++;
  if (lost.lostWorker !== null) {
    task.losses = [...task.losses, { worker: ledger.names.one(lost.lostWorker), atMs: ledger.clock.nowMs }];
  }
  if (task.losses.length >= WORKER_LOSSES_MAX && task.state === "released") {
    return end(ledger, task, "failed", { type: "workers_lost", losses: task.losses });
  }
  reopen(ledger, task, lost.started ? "while_running" : "before_start");
}

/** A leader reports that an attempt has had its time, and that its worker did not see to it. */
export function expire(ledger: LedgerState, expired: ExpiredAttempt): void {
  const task = ledger.live.get(expired.id);
  if (task === undefined || !isReleased(task) || task.attempt !== expired.attempt) {
    return ledger.void("expiry of an attempt that is not current");
  }
  if (expired.limit === "run") task.tries++;
  if (task.state === "cancelling") {
    return endCancelled(ledger, task, expired.limit === "run" ? "while_running" : "before_start");
  }
  if (expired.limit === "queue") return endTimedOut(ledger, task, "queue", task.terms.queueTimeoutMs ?? 0);
  if (!tryAgain(ledger, task, TIMED_OUT)) end(ledger, task, "timed_out", overTime(task));
}

/** The attempt is over without an outcome: another one, unless somebody wanted the task stopped. */
function reopen(ledger: LedgerState, task: LiveTask, stopped: Stopped): void {
  if (task.state === "cancelling") return endCancelled(ledger, task, stopped);
  const isTry = stopped === "while_running" && task.terms.retry !== null;
  openAttempt(ledger, task, isTry ? backoffMs(task.terms.retry, task) : 0);
}

/** The next attempt is current at once, so that what is late of the one before is void; it is released after the delay. */
function openAttempt(ledger: LedgerState, task: LiveTask, delayMs: number): void {
  const previous = task.attempt++;
  if (delayMs > 0) {
    task.state = "backing_off";
    ledger.timers.wait(task, delayMs);
  } else awaitBeginning(ledger, task);
  ledger.effects.push({ type: "attempt_opened", task, previous });
}
