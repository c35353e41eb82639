/** Takes tasks in, or refuses them. */
import {
  DEFAULT_OPTIONS,
  type Sender,
  type Submission,
  type SubmissionOptions,
  type SubmitRecord,
  TaskId,
} from "@weft/protocol";
import { adopt, bear } from "./children.ts";
import { findCycle } from "./cycle.ts";
import { NOBODY } from "./dependents.ts";
import { link } from "./link.ts";
import { ownText } from "./own-text.ts";
import { hasExpired, isLogFull, pinDependencies } from "./retention.ts";
import { cancelled, end } from "./settle.ts";
import type { LedgerState } from "./state.ts";
import {
  DEFAULT_TERMS,
  isReleased,
  type LiveTask,
  type Living,
  NOTHING,
  type Position,
  type Terms,
  type Verdict,
} from "./task.ts";

export function submitAll(ledger: LedgerState, seq: number, sender: Sender, record: SubmitRecord): void {
  const owner = ledger.names.one(sender);
  for (let index = 0; index < record.tasks.length; index++) {
    const submission = record.tasks[index];
    if (submission === undefined) continue;
    const { id } = submission;
    if (TaskId.partition(id) !== ledger.config.partition) ledger.void("task of another partition");
    else if (ledger.live.has(id) || ledger.settled.has(id)) {
      adopt(ledger, submission);
      ledger.effects.push({ type: "submitted_again", id, sender: owner });
    } else if (hasExpired(ledger, id)) ledger.void("submit of a task that has expired");
    else take(ledger, submission, owner, { seq, index });
  }
}

function take(ledger: LedgerState, submission: Submission, owner: Sender, submitted: Position): void {
  const { live } = ledger;
  const { dependsOn } = submission;
  // Looked up once for all that is done with them.
  const living = dependsOn.length === 0 ? NOTHING : dependsOn.map((each) => live.get(each));
  const { id } = submission;
  const waiters = ledger.unknown.size === 0 ? undefined : ledger.unknown.get(id);
  if (waiters !== undefined) {
    ledger.unknown.delete(id);
    ledger.unknownDeadlines.delete(id);
  }
  const task = newTask(ledger, submission, { owner, submitted, living, dependents: waiters ?? NOBODY });
  const isFull = isLogFull(ledger);
  live.add(task);
  ledger.argsBytes += task.argsBytes;
  bear(ledger, task);
  pinDependencies(ledger, task, living);
  if (task.terms.deadlineMs !== null) ledger.timers.deadline(task, task.terms.deadlineMs);
  ledger.effects.push({ type: "submitted", task });
  const verdict = isFull ? LOG_FULL : refusal(ledger, task, waiters !== undefined);
  if (verdict === null) link(ledger, task, living);
  else end(ledger, task, verdict.type === "cancelled" ? "cancelled" : "rejected", verdict);
}

type Given = {
  readonly owner: Sender;
  readonly submitted: Position;
  readonly living: Living;
  readonly dependents: readonly LiveTask[];
};

/** Field by field: what is spread into an object takes more room in it. */
function newTask(ledger: LedgerState, submission: Submission, given: Given): LiveTask {
  const { owner, submitted, living, dependents } = given;
  const { id, name, dependsOn } = submission;
  const { parent, priority } = submission.options ?? DEFAULT_OPTIONS;
  const { names } = ledger;
  return {
    id,
    name: names.one(name),
    owner,
    priority,
    terms: submission.options === null ? DEFAULT_TERMS : termsOf(ledger, submission.options),
    dependencies: dependsOn.length === 0 ? NOTHING : dependsOn.map((each, at) => living[at]?.id ?? each),
    parent: parent === null ? null : { id: sharedId(ledger, parent.id), attempt: parent.attempt },
    submitted,
    argsBytes: submission.args.length,
    submittedAtMs: ledger.clock.nowMs,
    order: ledger.nextOrder++,
    state: "waiting",
    attempt: 1,
    tries: 0,
    waitDueMs: null,
    losses: NOTHING,
    lastError: null,
    unmet: 0,
    dependents,
    cancel: null,
    isSettled: false,
    placement: null,
  };
}

function termsOf({ names }: LedgerState, options: SubmissionOptions): Terms {
  const { retry } = options;
  return {
    labels: options.labels.length === 0 ? NOTHING : names.all(options.labels),
    traceparent: ownText(options.traceparent),
    retry: retry === null ? null : { ...retry, nonRetryable: names.all(retry.nonRetryable) },
    timeoutMs: options.timeoutMs,
    queueTimeoutMs: options.queueTimeoutMs,
    deadlineMs: options.deadlineMs,
    dependencyTimeoutMs: options.dependencyTimeoutMs,
    keepResult: options.keepResult,
  };
}

/** One for all: where the log is full there may be many. */
const LOG_FULL: Verdict = { type: "log_full" };

/** A live task has the text of its id already: one is enough. */
function sharedId({ live }: LedgerState, id: TaskId): TaskId {
  return live.get(id)?.id ?? id;
}

/** Why the task cannot be taken; null where it can. */
function refusal(ledger: LedgerState, task: LiveTask, awaited: boolean): Verdict | null {
  const { parent } = task;
  if (parent !== null) {
    const current = ledger.live.get(parent.id);
    if (current === undefined || current.attempt !== parent.attempt || !isReleased(current)) {
      return { type: "parent_gone", parent: parent.id, attempt: parent.attempt };
    }
    if (current.cancel !== null) return cancelled(current.cancel.reason, "before_release");
  }
  const reason = ledger.earlyCancels.size === 0 ? undefined : ledger.earlyCancels.get(task.id);
  if (reason !== undefined) {
    ledger.earlyCancels.delete(task.id);
    ledger.earlyCancelDeadlines.delete(task.id);
    return cancelled(reason, "before_release");
  }
  // A cycle is closed by its last edge, so only a task that somebody waits for already, or that names itself, can close one.
  if (!awaited && !task.dependencies.includes(task.id)) return null;
  const path = findCycle(task.id, task.dependencies, ledger.live);
  return path === null ? null : { type: "cycle", path };
}
