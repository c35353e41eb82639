/**
 * A live task as a row of a checkpoint: what most tasks share is left out, and marked where it is there. Positions and
 * moments are told as the distance from the row before.
 */
import {
  DEPENDENCY_TIMEOUT_DEFAULT_MS,
  LIVE_STATES,
  type Parent,
  RETRY_STRATEGIES,
  type RetryPolicy,
  type Sender,
  type TaskId,
  type TaskName,
} from "@weft/protocol";
import { NOBODY } from "../ledger/dependents.ts";
import {
  type CancelRequest,
  DEFAULT_TERMS,
  type LiveTask,
  NOT_BEGUN,
  NOTHING,
  type Terms,
} from "../ledger/task.ts";
import type { StateReader } from "./state-reader.ts";
import type { StateWriter } from "./state-writer.ts";
import { loadList, loadLosses, loadShort, saveLosses } from "./verdict-row.ts";

/** What is there of a row; the state is in the two lowest bits. The most frequent first: they fit into one byte. */
const STATE_BITS = 3;
const MARK = {
  wait: 1 << 2,
  notBegun: 1 << 3,
  priority: 1 << 4,
  tried: 1 << 5,
  retry: 1 << 6,
  labels: 1 << 7,
  parent: 1 << 8,
  traceparent: 1 << 9,
  timeout: 1 << 10,
  queueTimeout: 1 << 11,
  deadline: 1 << 12,
  dependencyTimeout: 1 << 13,
  freeResult: 1 << 14,
  losses: 1 << 15,
  lastError: 1 << 16,
  cancel: 1 << 17,
} as const;
const MARKS_OF_TERMS =
  MARK.retry |
  MARK.labels |
  MARK.traceparent |
  MARK.timeout |
  MARK.queueTimeout |
  MARK.deadline |
  MARK.dependencyTimeout |
  MARK.freeResult;

/** Where the row before was. */
class Before {
  seq = 0;
  atMs = 0;
  order = 0;
}

/** How the rest of the state is known by the rows: what they refer to has a row of its own there. */
export type TaskRefs = {
  /** How long the wait is that has not begun. */
  readonly freshWaitMs: (task: LiveTask) => number;
  readonly saveDependency: (id: TaskId) => void;
};

export class TaskRowWriter {
  private readonly to: StateWriter;
  private readonly refs: TaskRefs;
  private readonly before = new Before();

  constructor(to: StateWriter, refs: TaskRefs) {
    this.to = to;
    this.refs = refs;
  }

  save(task: LiveTask): void {
    const { to, before } = this;
    const marks = marksOf(task);
    to.count(LIVE_STATES.indexOf(task.state) | marks);
    to.word(task.name);
    to.word(task.owner);
    to.whole(task.submitted.seq - before.seq);
    to.count(task.submitted.index);
    to.count(task.argsBytes);
    to.whole(task.submittedAtMs - before.atMs);
    to.whole(task.order - before.order);
    before.seq = task.submitted.seq;
    before.atMs = task.submittedAtMs;
    before.order = task.order;
    to.count(task.dependencies.length);
    for (const id of task.dependencies) this.refs.saveDependency(id);
    if (marks >= MARK.wait) this.saveMarked(task, marks);
  }

  private saveMarked(task: LiveTask, marks: number): void {
    const { to } = this;
    if (marks & MARK.notBegun) to.count(this.refs.freshWaitMs(task));
    else if (marks & MARK.wait) to.whole((task.waitDueMs ?? 0) - task.submittedAtMs);
    if (marks & MARK.priority) to.whole(task.priority);
    if (marks & MARK.tried) {
      to.count(task.attempt);
      to.count(task.tries);
    }
    const { terms } = task;
    if (terms.retry !== null) saveRetry(to, terms.retry);
    if (marks & MARK.labels) saveWords(to, terms.labels);
    if (task.parent !== null) {
      to.id(task.parent.id);
      to.count(task.parent.attempt);
    }
    if (terms.traceparent !== null) to.text(terms.traceparent);
    if (terms.timeoutMs !== null) to.count(terms.timeoutMs);
    if (terms.queueTimeoutMs !== null) to.count(terms.queueTimeoutMs);
    if (terms.deadlineMs !== null) to.count(terms.deadlineMs);
    if (marks & MARK.dependencyTimeout) to.count(terms.dependencyTimeoutMs);
    if (marks & MARK.losses) saveLosses(to, task.losses);
    if (task.lastError !== null) to.word(task.lastError);
    if (task.cancel !== null) saveCancel(to, task.cancel);
  }
}

function marksOf(task: LiveTask): number {
  return (
    (task.waitDueMs === null ? 0 : task.waitDueMs === NOT_BEGUN ? MARK.wait | MARK.notBegun : MARK.wait) |
    (task.priority === 0 ? 0 : MARK.priority) |
    (task.attempt === 1 && task.tries === 0 ? 0 : MARK.tried) |
    (task.terms === DEFAULT_TERMS ? 0 : marksOfTerms(task.terms)) |
    (task.parent === null ? 0 : MARK.parent) |
    (task.losses.length === 0 ? 0 : MARK.losses) |
    (task.lastError === null ? 0 : MARK.lastError) |
    (task.cancel === null ? 0 : MARK.cancel)
  );
}

function marksOfTerms(terms: Terms): number {
  return (
    (terms.retry === null ? 0 : MARK.retry) |
    (terms.labels.length === 0 ? 0 : MARK.labels) |
    (terms.traceparent === null ? 0 : MARK.traceparent) |
    (terms.timeoutMs === null ? 0 : MARK.timeout) |
    (terms.queueTimeoutMs === null ? 0 : MARK.queueTimeout) |
    (terms.deadlineMs === null ? 0 : MARK.deadline) |
    (terms.dependencyTimeoutMs === DEPENDENCY_TIMEOUT_DEFAULT_MS ? 0 : MARK.dependencyTimeout) |
    (terms.keepResult ? 0 : MARK.freeResult)
  );
}

/** A task as its row tells it. What others tell of it (`unmet`, `dependents`) is for whoever knows them. */
export type TaskRow = {
  readonly task: LiveTask;
  /** Null where no wait of it is to begin. */
  readonly freshWaitMs: number | null;
};

export class TaskRowReader {
  private readonly from: StateReader;
  private readonly loadDependency: () => TaskId;
  private readonly before = new Before();

  constructor(from: StateReader, loadDependency: () => TaskId) {
    this.from = from;
    this.loadDependency = loadDependency;
  }

  load(id: TaskId): TaskRow {
    const { from, before } = this;
    const head = from.count();
    const has = (mark: number): boolean => (head & mark) !== 0;
    const name = from.word() as TaskName;
    const owner = from.word() as Sender;
    before.seq += from.whole();
    const submitted = { seq: before.seq, index: from.count() };
    const argsBytes = from.count();
    before.atMs += from.whole();
    const submittedAtMs = before.atMs;
    before.order += from.whole();
    const { order } = before;
    const dependencies = loadShort(from, this.loadDependency);
    const freshWaitMs = has(MARK.notBegun) ? from.count() : null;
    const waitDueMs = freshWaitMs !== null ? NOT_BEGUN : has(MARK.wait) ? from.whole() + submittedAtMs : null;
    const priority = has(MARK.priority) ? from.whole() : 0;
    const tried = has(MARK.tried);
    const attempt = tried ? from.count() : 1;
    const tries = tried ? from.count() : 0;
    const retry = has(MARK.retry) ? loadRetry(from) : null;
    const labels = has(MARK.labels) ? loadWords(from) : NOTHING;
    const parent = has(MARK.parent) ? loadParent(from) : null;
    const terms = (head & MARKS_OF_TERMS) === 0 ? DEFAULT_TERMS : loadTerms(from, has, { retry, labels });
    // In the order in which the fold makes them, so that the engine takes both for one kind of object. Fields that are told
    // with those that are marked are read in the order in which they stand here.
    const task: LiveTask = {
      id,
      name,
      owner,
      priority,
      terms,
      dependencies,
      parent,
      submitted,
      argsBytes,
      submittedAtMs,
      order,
      state: LIVE_STATES[head & STATE_BITS] ?? "waiting",
      attempt,
      tries,
      waitDueMs,
      losses: has(MARK.losses) ? loadLosses(from) : NOTHING,
      lastError: has(MARK.lastError) ? from.word() : null,
      unmet: 0,
      dependents: NOBODY,
      cancel: has(MARK.cancel) ? loadCancel(from) : null,
      isSettled: false,
      placement: null,
    };
    return { task, freshWaitMs };
  }
}

function loadTerms(
  from: StateReader,
  has: (mark: number) => boolean,
  { labels, retry }: Pick<Terms, "labels" | "retry">,
): Terms {
  return {
    labels,
    traceparent: has(MARK.traceparent) ? from.text() : null,
    retry,
    timeoutMs: has(MARK.timeout) ? from.count() : null,
    queueTimeoutMs: has(MARK.queueTimeout) ? from.count() : null,
    deadlineMs: has(MARK.deadline) ? from.count() : null,
    dependencyTimeoutMs: has(MARK.dependencyTimeout) ? from.count() : DEPENDENCY_TIMEOUT_DEFAULT_MS,
    keepResult: !has(MARK.freeResult),
  };
}

function saveRetry(to: StateWriter, policy: RetryPolicy): void {
  to.byte(RETRY_STRATEGIES.indexOf(policy.strategy));
  to.count(policy.maximumAttempts);
  to.count(policy.initialIntervalMs);
  to.float(policy.backoffCoefficient);
  to.count(policy.maximumIntervalMs);
  to.count(policy.jitterPermille);
  saveWords(to, policy.nonRetryable);
}

function loadRetry(from: StateReader): RetryPolicy {
  return {
    strategy: from.oneOf(RETRY_STRATEGIES),
    maximumAttempts: from.count(),
    initialIntervalMs: from.count(),
    backoffCoefficient: from.float(),
    maximumIntervalMs: from.count(),
    jitterPermille: from.count(),
    nonRetryable: loadWords(from),
  };
}

function saveCancel(to: StateWriter, { reason, children, dependents, atMs }: CancelRequest): void {
  to.textOrNull(reason);
  to.count(children);
  to.count(dependents);
  to.count(atMs);
}

function loadCancel(from: StateReader): CancelRequest {
  return {
    reason: from.textOrNull(),
    children: from.count(),
    dependents: from.count(),
    atMs: from.count(),
  };
}

function loadParent(from: StateReader): Parent {
  return { id: from.id(), attempt: from.count() };
}

function saveWords(to: StateWriter, words: readonly string[]): void {
  to.count(words.length);
  for (const word of words) to.word(word);
}

function loadWords(from: StateReader): string[] {
  return loadList(from, () => from.word());
}
