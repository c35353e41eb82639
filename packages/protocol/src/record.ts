/**
 * The records of the log. A record is a MessagePack array: the wire version, the sender's instance, the sender's record
 * number, then what its kind holds. Values are opaque bytes here.
 */
import type { InstanceId, Nonce, TaskId, TaskName } from "./ids.ts";

/** Tasks with arguments, dependencies and options. */
export type SubmitRecord = {
  readonly type: "submit";
  readonly instance: InstanceId;
  readonly number: number;
  readonly tasks: readonly Submission[];
};

export type Submission = {
  readonly id: TaskId;
  readonly name: TaskName;
  readonly args: Uint8Array;
  readonly dependsOn: readonly TaskId[];
  readonly options: SubmissionOptions | null;
};

export type SubmissionOptions = {
  /** Higher runs first. */
  readonly priority: number;
  /** A worker must carry all of them. */
  readonly labels: readonly string[];
  /** The attempt that submitted this child; the child is void once that attempt is not current. */
  readonly parent: Parent | null;
  /** W3C trace context of the submitter. */
  readonly traceparent: string | null;
};

export type Parent = { readonly id: TaskId; readonly attempt: number };

export type CancelRecord = {
  readonly type: "cancel";
  readonly instance: InstanceId;
  readonly number: number;
  readonly cancels: readonly { readonly id: TaskId; readonly reason: string | null }[];
};

export type FinishRecord = {
  readonly type: "finish";
  readonly instance: InstanceId;
  readonly number: number;
  readonly finishes: readonly Finish[];
};

/**
 * How an attempt ended: an outcome of the user's code, `terminated` where a cancelled one had to be ended by force, or
 * `returned` unstarted (a new attempt, no try).
 */
export const FINISH_OUTCOMES = [
  "succeeded",
  "failed",
  "cancelled",
  "timed_out",
  "terminated",
  "returned",
] as const;
export type FinishOutcome = (typeof FINISH_OUTCOMES)[number];

export type Finish = {
  readonly id: TaskId;
  readonly attempt: number;
  readonly outcome: FinishOutcome;
  /** Whether its code began: only those count as tries. */
  readonly started: boolean;
  /** The last progress, so that a callback sees it before the outcome. */
  readonly progress: Uint8Array | null;
  /** The value, or the failure. */
  readonly value: Uint8Array | null;
};

/** What only the leader writes. Each record carries its epoch, its wall clock and the fold version that it knows. */
export type ControlRecord = {
  readonly type: "control";
  readonly instance: InstanceId;
  readonly number: number;
  readonly epoch: number;
  readonly wallMs: number;
  readonly foldVersion: number;
  readonly event: ControlEvent;
};

export type ControlEvent =
  | { readonly type: "elected"; readonly nonce: Nonce }
  | { readonly type: "resigned" }
  | { readonly type: "tick" }
  /** From here on the log is folded by these rules: every live coordinator knows them. */
  | { readonly type: "fold_version"; readonly version: number }
  | { readonly type: "lost"; readonly attempts: readonly LostAttempt[] };

export type LostAttempt = {
  readonly id: TaskId;
  readonly attempt: number;
  /** Whether its code may have begun: only those count as tries. */
  readonly started: boolean;
  /** Whether the worker died with it: only those count towards a task that kills its workers. */
  readonly workerLost: boolean;
};

export type LogRecord = SubmitRecord | CancelRecord | FinishRecord | ControlRecord;
