/** What the ledger keeps of a task. Values are not kept: a position names the record that holds them. */
import {
  DEFAULT_OPTIONS,
  type LiveState,
  type Outcome,
  type Parent,
  type Reason,
  type Sender,
  type SubmissionOptions,
  type TaskId,
  type TaskName,
  type WorkerLoss,
} from "@weft/protocol";

/** The record (sequence) and the place in it. */
export type Position = { readonly seq: number; readonly index: number };

/**
 * A task without an outcome. Plain data throughout, but for `dependents`: what of the ledger points to tasks (dependents,
 * children, timers) can be made again from the fields here.
 */
export type LiveTask = {
  readonly id: TaskId;
  readonly name: TaskName;
  readonly owner: Sender;
  readonly priority: number;
  readonly terms: Terms;
  readonly dependencies: readonly TaskId[];
  /** A retried parent finds its children again: they are then of its new attempt. */
  parent: Parent | null;
  /** Where its arguments are: in its submit, or in a record that they were carried to. */
  submitted: Position;
  readonly argsBytes: number;
  readonly submittedAtMs: number;
  /** Age among all tasks. */
  readonly order: number;
  state: LiveState;
  /** The fencing token: only a finish of this attempt counts. From 1. */
  attempt: number;
  /** Attempts whose code began. */
  tries: number;
  /**
   * When the wait of its state is over, by the ledger's clock: the dependency time-out of one that waits, the next try of
   * one that backs off, the queue time-out of one that is released. `NOT_BEGUN` until the first control record after the
   * state began; null where the state has no end of its own.
   */
  waitDueMs: number | null;
  /** The worker losses among its attempts, oldest first. */
  losses: readonly WorkerLoss[];
  /** The name of the error that ended its last try; null where none did. */
  lastError: string | null;
  /** Dependencies that are not settled. */
  unmet: number;
  /** Live tasks that wait for this one. */
  dependents: readonly LiveTask[];
  /** The cancel that stops it; null where nobody wants it stopped. */
  cancel: CancelRequest | null;
  /**
   * It has its outcome and lives no more: lists and queues may still name it. Told by the task itself, since to look each of
   * them up among all that live is what a graph of many tasks would spend its time on.
   */
  isSettled: boolean;
  /** What the scheduler of a leader notes of it, which alone knows what that is: the fold never looks at it. */
  placement: object | null;
};

/** What of a task is empty in most. Never changed, so that all can have it. */
export const NOTHING: readonly never[] = Object.freeze([]);

/** What a task may want beyond running once, anywhere. Most want nothing: all these have the same. */
export type Terms = Omit<SubmissionOptions, "priority" | "parent">;

const { priority: _priority, parent: _parent, ...nothingMore } = DEFAULT_OPTIONS;
export const DEFAULT_TERMS: Terms = Object.freeze(nothingMore);

/** The dependencies of a task, in their order, as far as they live. */
export type Living = readonly (LiveTask | undefined)[];

/** A wait whose beginning is the next control record: the clock stands still while no leader ticks. */
export const NOT_BEGUN = 0;

export type CancelRequest = {
  readonly reason: string | null;
  /** How many others the same cancel stopped: children of it at every level, and what waited for any of them. */
  readonly children: number;
  readonly dependents: number;
  /** When it was folded, by the ledger's clock. */
  readonly atMs: number;
};

/** Whether an attempt of it may be out at a worker: only then a finish counts. */
export function isReleased(task: LiveTask): boolean {
  return task.state === "released" || task.state === "cancelling";
}

/** A task with its outcome, which never changes. */
export type SettledTask = {
  readonly id: TaskId;
  readonly name: TaskName;
  readonly outcome: Outcome;
  readonly attempt: number;
  readonly tries: number;
  readonly submitted: Position;
  readonly settledAtMs: number;
  /** Where the worker recorded its value or failure; null where the fold settled it. */
  readonly finish: Position | null;
  readonly verdict: Verdict | null;
};

/**
 * Why the fold settled a task itself. A dependent of a failed task names it, and the root of the chain with its distance,
 * so that telling the chain costs the same however long it is.
 */
export type Verdict =
  | Exclude<Reason, { type: "dependency_failed" }>
  | {
      readonly type: "dependency_failed";
      readonly dependency: TaskId;
      readonly root: TaskId;
      readonly distance: number;
    };

/** Whether its value is gone, because whoever submitted it has it. */
export function isFreed({ outcome, finish }: SettledTask): boolean {
  return outcome === "succeeded" && finish === null;
}

export function isLive(task: LiveTask | SettledTask): task is LiveTask {
  return "state" in task;
}
