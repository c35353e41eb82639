/** What the leader tells people: the data behind `weft show`, `ls`, `workers` and `doctor`. Times are milliseconds since 1970. */
import type { TaskState } from "./outcome.ts";

export type DependencyReport = {
  readonly id: string;
  readonly name: string | null;
  readonly state: TaskState | "unknown";
};

export type TaskReport = {
  readonly id: string;
  readonly name: string;
  readonly state: TaskState;
  readonly owner: string;
  readonly attempt: number;
  /** Attempts whose code began, as far as the log knows. */
  readonly tries: number;
  readonly priority: number;
  readonly labels: readonly string[];
  readonly dependencies: readonly DependencyReport[];
  readonly dependents: number;
  readonly submittedAtMs: number | null;
  readonly settledAtMs: number | null;
  /** The worker that holds the current attempt. */
  readonly worker: string | null;
  /** Why it is where it is, in one sentence. */
  readonly because: string;
};

/** What keeps a task, or one that it waits for. */
export type Fact = {
  /** The task that it is about. */
  readonly id: string;
  readonly name: string;
  readonly type: FactType;
  readonly text: string;
};

export const FACT_TYPES = [
  "dependencies",
  "backing_off",
  "held_back",
  "no_worker",
  "workers_busy",
  "runs_alone",
  "dispatching",
  "queued",
  "running",
  "worker_blocked",
  "cancelling",
  "time_limit",
  "workers_lost",
  "settled",
  "cut",
] as const;
type FactType = (typeof FACT_TYPES)[number];

export type ExplainReport = {
  readonly id: string;
  readonly name: string;
  readonly state: TaskState;
  /** From the task itself down to what is at the root of it. */
  readonly facts: readonly Fact[];
};

export type TaskRow = {
  readonly id: string;
  readonly name: string;
  readonly state: TaskState;
  readonly attempt: number;
  readonly worker: string | null;
};

export type ListReport = { readonly rows: readonly TaskRow[]; readonly total: number };

export type WorkerReport = {
  readonly id: string;
  readonly state: string;
  readonly host: string;
  readonly pid: number;
  readonly slots: number;
  readonly credits: number;
  readonly running: number;
  readonly assigned: number;
  readonly names: readonly string[];
  readonly labels: readonly string[];
  readonly startedAtMs: number;
  readonly lastSeenMsAgo: number;
};

export type CoordinatorReport = {
  readonly id: string;
  readonly state: string;
  readonly host: string;
  readonly pid: number;
  readonly foldedSeq: number;
  /** The newest rules that it knows. */
  readonly foldVersion: number;
  readonly startedAtMs: number;
  readonly lastSeenMsAgo: number;
};

export type InfoReport = {
  readonly leader: string;
  readonly host: string;
  readonly pid: number;
  readonly epoch: number;
  readonly foldedSeq: number;
  /** The rules in force. */
  readonly foldVersion: number;
  /** All that live, the leader among them. */
  readonly coordinators: readonly CoordinatorReport[];
  readonly tasks: {
    readonly waiting: number;
    readonly backing_off: number;
    readonly released: number;
    readonly cancelling: number;
    readonly settled: number;
  };
  readonly workers: number;
  /** Records and messages that were not as the wire contract says, by reason. */
  readonly voided: Readonly<Record<string, number>>;
};
