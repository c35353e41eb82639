/** What the ledger keeps of a task. Values are not kept: a position names the record that holds them. */
import type { LiveState, Outcome, Reason, Sender, TaskId, TaskName } from "@weft/protocol";

/** The record (sequence) and the place in it. */
export type Position = { readonly seq: number; readonly index: number };

/** A task without an outcome. */
export type LiveTask = {
  readonly id: TaskId;
  readonly name: TaskName;
  readonly owner: Sender;
  readonly priority: number;
  readonly labels: readonly string[];
  readonly dependencies: readonly TaskId[];
  readonly parent: { readonly id: TaskId; readonly attempt: number } | null;
  readonly traceparent: string | null;
  /** Where its arguments are. */
  readonly submitted: Position;
  readonly submittedAtMs: number;
  /** Age among all tasks. */
  readonly order: number;
  state: LiveState;
  /** The fencing token: only a finish of this attempt counts. From 1. */
  attempt: number;
  /** Attempts whose code began. */
  tries: number;
  /** Attempts that ended with their worker. */
  workerLosses: number;
  /** Dependencies that are not settled. */
  unmet: number;
  /** Live tasks that wait for this one. */
  dependents: LiveTask[];
  cancelReason: string | null;
};

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

export function isLive(task: LiveTask | SettledTask): task is LiveTask {
  return "state" in task;
}
