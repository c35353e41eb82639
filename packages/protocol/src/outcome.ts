/**
 * How a task ended, as it is told to a client. `reason` is there where the fold itself settled the task; else the
 * value or failure that the worker recorded is.
 */

import { assertNever } from "./errors.ts";
import { Sender, TaskId, TaskName } from "./ids.ts";
import { RECORD_ITEMS_MAX, TEXT_LENGTH_MAX, WORKER_LOSSES_MAX } from "./limits.ts";
import { count, guarded, list, mismatch, oneOf, text, textOrNull } from "./wire-reader.ts";

export const OUTCOMES = ["succeeded", "failed", "cancelled", "timed_out", "skipped", "rejected"] as const;
export type Outcome = (typeof OUTCOMES)[number];

/** The states of a task that is not settled (docs/state-machines.md). */
export const LIVE_STATES = ["waiting", "backing_off", "released", "cancelling"] as const;
export type LiveState = (typeof LIVE_STATES)[number];
export type TaskState = LiveState | Outcome;

/** Why the fold settled a task without a worker. */
export type Reason =
  /** The nearest failed dependency first, the root last; `omitted` links between them were left out. */
  | {
      readonly type: "dependency_failed";
      readonly chain: readonly ChainLink[];
      readonly omitted: number;
      readonly root: Reason | null;
    }
  | { readonly type: "unknown_dependency"; readonly dependency: TaskId }
  /** What is known of a task has expired: of a dependency, or of one further down the chain. */
  | { readonly type: "result_expired"; readonly task: TaskId }
  /** Half of the log was needed for what is in it already. */
  | { readonly type: "log_full" }
  | { readonly type: "cycle"; readonly path: readonly TaskId[] }
  | { readonly type: "parent_gone"; readonly parent: TaskId; readonly attempt: number }
  | { readonly type: "workers_lost"; readonly losses: readonly WorkerLoss[] }
  | {
      readonly type: "cancelled";
      readonly reason: string | null;
      readonly stopped: Stopped;
      /** How many others the same cancel stopped: tasks that it had submitted, and tasks that waited for it. */
      readonly children: number;
      readonly dependents: number;
    }
  /** `ms` is the limit; of a deadline the moment that it was. */
  | { readonly type: "timed_out"; readonly limit: TimeLimit; readonly ms: number };

/** One run, from released to begun, from submitted to released, the whole task. */
export const TIME_LIMITS = ["run", "queue", "dependency", "deadline"] as const;
export type TimeLimit = (typeof TIME_LIMITS)[number];

/** A worker that was lost while it had the task, and when by the log's clock. */
export type WorkerLoss = { readonly worker: Sender; readonly atMs: number };

export type ChainLink = {
  readonly id: TaskId;
  readonly name: TaskName;
  readonly outcome: Outcome;
  readonly attempt: number;
  readonly tries: number;
};

/**
 * Where a cancel caught its task: `between_attempts` while it waited for its next try, `terminated` where its code did not
 * stop by itself and its thread was ended.
 */
export const STOPPED = [
  "before_release",
  "before_start",
  "between_attempts",
  "while_running",
  "terminated",
] as const;
export type Stopped = (typeof STOPPED)[number];

/** In words that follow "cancelled": "before release", "by force". */
export function stoppedText(stopped: Stopped): string {
  return stopped === "terminated" ? "by force" : stopped.replaceAll("_", " ");
}

export function reasonToWire(reason: Reason): unknown[] {
  switch (reason.type) {
    case "dependency_failed": {
      const chain = reason.chain.map((link) => [link.id, link.name, link.outcome, link.attempt, link.tries]);
      return [reason.type, chain, reason.omitted, reason.root === null ? null : reasonToWire(reason.root)];
    }
    case "unknown_dependency":
      return [reason.type, reason.dependency];
    case "result_expired":
      return [reason.type, reason.task];
    case "log_full":
      return [reason.type];
    case "cycle":
      return [reason.type, reason.path];
    case "parent_gone":
      return [reason.type, reason.parent, reason.attempt];
    case "workers_lost":
      return [reason.type, reason.losses.map((loss) => [loss.worker, loss.atMs])];
    case "cancelled":
      return [reason.type, reason.reason, reason.stopped, reason.children, reason.dependents];
    case "timed_out":
      return [reason.type, reason.limit, reason.ms];
    default:
      return assertNever(reason);
  }
}

export function readReason(value: unknown, nested = false): Reason {
  const wire = list(value, "reason");
  const type = text(wire[0], "reason type", 40);
  switch (type) {
    case "dependency_failed":
      if (nested) mismatch("a root reason is a dependency again");
      return {
        type,
        chain: list(wire[1], "chain", 1_000).map(readLink),
        omitted: count(wire[2], "omitted"),
        root: wire[3] === null ? null : readReason(wire[3], true),
      };
    case "unknown_dependency":
      return { type, dependency: id(wire[1]) };
    case "result_expired":
      return { type, task: id(wire[1]) };
    case "log_full":
      return { type };
    case "cycle":
      return { type, path: list(wire[1], "path", RECORD_ITEMS_MAX).map(id) };
    case "parent_gone":
      return { type, parent: id(wire[1]), attempt: count(wire[2], "attempt") };
    case "workers_lost":
      return { type, losses: list(wire[1], "losses", WORKER_LOSSES_MAX).map(readLoss) };
    case "cancelled":
      return {
        type,
        reason: textOrNull(wire[1], "reason", TEXT_LENGTH_MAX),
        stopped: oneOf(wire[2], "stopped", STOPPED),
        children: count(wire[3], "children"),
        dependents: count(wire[4], "dependents"),
      };
    case "timed_out":
      return { type, limit: oneOf(wire[1], "limit", TIME_LIMITS), ms: count(wire[2], "limit") };
    default:
      return mismatch("reason is unknown");
  }
}

function readLink(value: unknown): ChainLink {
  const wire = list(value, "link");
  return {
    id: id(wire[0]),
    name: guarded<TaskName>(wire[1], "task name", TaskName.is),
    outcome: oneOf(wire[2], "outcome", OUTCOMES),
    attempt: count(wire[3], "attempt"),
    tries: count(wire[4], "tries"),
  };
}

function readLoss(value: unknown): WorkerLoss {
  const wire = list(value, "loss");
  return { worker: guarded<Sender>(wire[0], "worker", Sender.is), atMs: count(wire[1], "moment") };
}

const id = (value: unknown): TaskId => guarded<TaskId>(value, "task id", TaskId.is);
