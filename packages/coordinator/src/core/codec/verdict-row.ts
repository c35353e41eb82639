/** Why the fold settled a task, and what of a task's past goes with it, as rows of a checkpoint. */
import { assertNever, type Sender, STOPPED, type TaskId, TIME_LIMITS, type WorkerLoss } from "@weft/protocol";
import { NOTHING, type Verdict } from "../ledger/task.ts";
import type { StateReader } from "./state-reader.ts";
import type { StateWriter } from "./state-writer.ts";

const TYPES = [
  "dependency_failed",
  "unknown_dependency",
  "result_expired",
  "log_full",
  "cycle",
  "parent_gone",
  "workers_lost",
  "cancelled",
  "timed_out",
] as const satisfies readonly Verdict["type"][];

export function saveVerdict(to: StateWriter, verdict: Verdict): void {
  to.byte(TYPES.indexOf(verdict.type));
  switch (verdict.type) {
    case "dependency_failed":
      to.id(verdict.dependency);
      to.id(verdict.root);
      return to.count(verdict.distance);
    case "unknown_dependency":
      return to.id(verdict.dependency);
    case "result_expired":
      return to.id(verdict.task);
    case "log_full":
      return;
    case "cycle":
      return saveIds(to, verdict.path);
    case "parent_gone":
      to.id(verdict.parent);
      return to.count(verdict.attempt);
    case "workers_lost":
      return saveLosses(to, verdict.losses);
    case "cancelled":
      to.textOrNull(verdict.reason);
      to.byte(STOPPED.indexOf(verdict.stopped));
      to.count(verdict.children);
      return to.count(verdict.dependents);
    case "timed_out":
      to.byte(TIME_LIMITS.indexOf(verdict.limit));
      return to.count(verdict.ms);
    default:
      return assertNever(verdict);
  }
}

export function loadVerdict(from: StateReader): Verdict {
  const type = from.oneOf(TYPES);
  switch (type) {
    case "dependency_failed":
      return { type, dependency: from.id(), root: from.id(), distance: from.count() };
    case "unknown_dependency":
      return { type, dependency: from.id() };
    case "result_expired":
      return { type, task: from.id() };
    case "log_full":
      return { type };
    case "cycle":
      return { type, path: loadIds(from) };
    case "parent_gone":
      return { type, parent: from.id(), attempt: from.count() };
    case "workers_lost":
      return { type, losses: loadLosses(from) };
    case "cancelled":
      return {
        type,
        reason: from.textOrNull(),
        stopped: from.oneOf(STOPPED),
        children: from.count(),
        dependents: from.count(),
      };
    case "timed_out":
      return { type, limit: from.oneOf(TIME_LIMITS), ms: from.count() };
    default:
      return assertNever(type);
  }
}

export function saveLosses(to: StateWriter, losses: readonly WorkerLoss[]): void {
  to.count(losses.length);
  for (const { worker, atMs } of losses) {
    to.word(worker);
    to.count(atMs);
  }
}

export function loadLosses(from: StateReader): WorkerLoss[] {
  return loadList(from, () => ({ worker: from.word() as Sender, atMs: from.count() }));
}

function saveIds(to: StateWriter, ids: readonly TaskId[]): void {
  to.count(ids.length);
  for (const id of ids) to.id(id);
}

function loadIds(from: StateReader): TaskId[] {
  return loadList(from, () => from.id());
}

/** As `loadList`, for lists that are many and mostly of one or none: with no more room than they take. */
export function loadShort<Item>(from: StateReader, load: () => Item): readonly Item[] {
  const length = from.count();
  if (length === 0) return NOTHING;
  const first = load();
  if (length === 1) return [first];
  const rest: Item[] = [];
  for (let left = length - 1; left > 0; left--) rest.push(load());
  return [first].concat(rest);
}

/** A list that is short enough to be a part of a row. */
export function loadList<Item>(from: StateReader, load: () => Item): Item[] {
  const list: Item[] = [];
  for (let left = from.count(); left > 0; left--) list.push(load());
  return list;
}
