/**
 * The records of the log. A record is a MessagePack array: the wire version, the sender's instance, the sender's record
 * number, then what its kind holds. Values are opaque bytes here.
 */
import type { InstanceId, Nonce, Sender, TaskId, TaskName } from "./ids.ts";
import type { SubmissionOptions } from "./submission-options.ts";

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

export type CancelRecord = {
  readonly type: "cancel";
  readonly instance: InstanceId;
  readonly number: number;
  readonly cancels: readonly Cancel[];
};

export type Cancel = {
  readonly id: TaskId;
  readonly reason: string | null;
  /** Whether what waits for it is cancelled too; else that fails. Its children always are. */
  readonly dependents: boolean;
};

/** A client has these results, and said when it submitted their tasks that they need not be kept beyond that. */
export type ReceivedRecord = {
  readonly type: "received";
  readonly instance: InstanceId;
  readonly number: number;
  readonly ids: readonly TaskId[];
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
  /** What a retry policy goes by; null where the code did not fail. */
  readonly failure: FinishFailure | null;
};

/** Of a failure, what decides about another try: the fold reads no values. */
export type FinishFailure = {
  readonly errorName: string;
  /** The code itself said that another try is of no use. */
  readonly nonRetryable: boolean;
  /** The code itself said how long to wait. */
  readonly retryAfterMs: number | null;
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

/** A hash of all that a fold has done, after the record of that sequence: two numbers of 32 bits. */
export type HashMark = { readonly seq: number; readonly high: number; readonly low: number };

/** What every fold must hold to alike, whatever its own coordinator was started with. */
export type LedgerSettings = {
  /** How long a settled task is kept, with its result. */
  readonly retentionMs: number;
  /** So long it is kept even where a budget is exceeded. */
  readonly retentionMinMs: number;
  /** Budgets: beyond them the oldest settled tasks leave early. 0 for none. */
  readonly settledTasksMax: number;
  readonly resultBytesMax: number;
  /** The limit of the log. Where half of it is needed, new tasks are refused. 0 for none. */
  readonly logBytesMax: number;
};

export type ControlEvent =
  | { readonly type: "elected"; readonly nonce: Nonce }
  | { readonly type: "resigned" }
  /** What the leader's fold had come to at the control record before, for others to compare. */
  | { readonly type: "tick"; readonly mark: HashMark | null }
  /** From here on the log is folded by these rules: every live coordinator knows them. */
  | { readonly type: "fold_version"; readonly version: number }
  /** From here on these settings hold: the leader's. */
  | { readonly type: "settings"; readonly settings: LedgerSettings }
  | { readonly type: "lost"; readonly attempts: readonly LostAttempt[] }
  | { readonly type: "expired"; readonly attempts: readonly ExpiredAttempt[] }
  /** Values that are needed, although what is around them is not: from here on they are in this record. */
  | { readonly type: "carry"; readonly carried: readonly Carried[] };

export type LostAttempt = {
  readonly id: TaskId;
  readonly attempt: number;
  /** Whether its code may have begun: only those count as tries. */
  readonly started: boolean;
  /** The worker that was lost with it; null where none was. Only those count towards a task that kills its workers. */
  readonly lostWorker: Sender | null;
};

export const EXPIRED_LIMITS = ["run", "queue"] as const;

/** An attempt that ran, or waited to be begun, for longer than it may: the worker did not see to it. */
export type ExpiredAttempt = {
  readonly id: TaskId;
  readonly attempt: number;
  readonly limit: (typeof EXPIRED_LIMITS)[number];
};

export const CARRIED_PARTS = ["arguments", "result"] as const;

/** What it is, and the place that it had: at any other it is carried already, or needed no more. */
export type Carried = {
  readonly part: (typeof CARRIED_PARTS)[number];
  readonly id: TaskId;
  readonly seq: number;
  readonly index: number;
  /** As it was: bytes, or a reference to a large value. Null where a result has none. */
  readonly value: Uint8Array | null;
};

export type LogRecord = SubmitRecord | CancelRecord | ReceivedRecord | FinishRecord | ControlRecord;
