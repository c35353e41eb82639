/**
 * Reads the leader's reports, which come from the wire: what a command relies on is checked once, here. What a newer
 * coordinator adds is left alone.
 */
import {
  type CoordinatorReport,
  type DependencyReport,
  type ExplainReport,
  FACT_TYPES,
  type InfoReport,
  LIVE_STATES,
  type ListReport,
  MalformedError,
  OUTCOMES,
  type TaskReport,
  type TaskRow,
  type TaskState,
  type WorkerReport,
} from "@weft/protocol";

type Fields = Readonly<Record<string, unknown>>;

export const TASK_STATES: readonly TaskState[] = [...LIVE_STATES, ...OUTCOMES];
const DEPENDENCY_STATES: readonly DependencyReport["state"][] = [...TASK_STATES, "unknown"];

export function readTaskReport(value: unknown): TaskReport {
  const f = fields(value, "the task");
  return {
    id: text(f, "id"),
    name: text(f, "name"),
    state: oneOf(f, "state", TASK_STATES),
    owner: text(f, "owner"),
    attempt: number(f, "attempt"),
    tries: number(f, "tries"),
    priority: number(f, "priority"),
    labels: texts(f, "labels"),
    dependencies: list(f.dependencies, "dependencies").map(readDependency),
    dependents: number(f, "dependents"),
    submittedAtMs: numberOrNull(f, "submittedAtMs"),
    settledAtMs: numberOrNull(f, "settledAtMs"),
    worker: textOrNull(f, "worker"),
    because: text(f, "because"),
  };
}

function readDependency(value: unknown): DependencyReport {
  const f = fields(value, "a dependency");
  return { id: text(f, "id"), name: textOrNull(f, "name"), state: oneOf(f, "state", DEPENDENCY_STATES) };
}

export function readExplainReport(value: unknown): ExplainReport {
  const f = fields(value, "the explanation");
  return {
    id: text(f, "id"),
    name: text(f, "name"),
    state: oneOf(f, "state", TASK_STATES),
    facts: list(f.facts, "facts").map((each) => {
      const fact = fields(each, "a fact");
      const type = oneOf(fact, "type", FACT_TYPES);
      return { id: text(fact, "id"), name: text(fact, "name"), type, text: text(fact, "text") };
    }),
  };
}

export function readListReport(value: unknown): ListReport {
  const f = fields(value, "the list");
  return { rows: list(f.rows, "rows").map(readRow), total: number(f, "total") };
}

function readRow(value: unknown): TaskRow {
  const f = fields(value, "a row");
  const state = oneOf(f, "state", TASK_STATES);
  return {
    id: text(f, "id"),
    name: text(f, "name"),
    state,
    attempt: number(f, "attempt"),
    worker: textOrNull(f, "worker"),
  };
}

export function readWorkerReports(value: unknown): readonly WorkerReport[] {
  return list(value, "workers").map((each) => {
    const f = fields(each, "a worker");
    return {
      id: text(f, "id"),
      state: text(f, "state"),
      host: text(f, "host"),
      pid: number(f, "pid"),
      slots: number(f, "slots"),
      credits: number(f, "credits"),
      running: number(f, "running"),
      assigned: number(f, "assigned"),
      names: texts(f, "names"),
      labels: texts(f, "labels"),
      startedAtMs: number(f, "startedAtMs"),
      lastSeenMsAgo: number(f, "lastSeenMsAgo"),
    };
  });
}

export function readInfoReport(value: unknown): InfoReport {
  const f = fields(value, "the coordinator");
  const tasks = fields(f.tasks, "tasks");
  const voided = Object.entries(fields(f.voided, "voided")).filter(
    (entry): entry is [string, number] => typeof entry[1] === "number",
  );
  return {
    leader: text(f, "leader"),
    host: text(f, "host"),
    pid: number(f, "pid"),
    epoch: number(f, "epoch"),
    foldedSeq: number(f, "foldedSeq"),
    foldVersion: number(f, "foldVersion"),
    // A coordinator of before tells of none.
    coordinators: list(f.coordinators ?? [], "coordinators").map(readCoordinator),
    tasks: {
      waiting: number(tasks, "waiting"),
      backing_off: number(tasks, "backing_off"),
      released: number(tasks, "released"),
      cancelling: number(tasks, "cancelling"),
      settled: number(tasks, "settled"),
    },
    workers: number(f, "workers"),
    voided: Object.fromEntries(voided),
  };
}

function readCoordinator(value: unknown): CoordinatorReport {
  const f = fields(value, "a coordinator");
  return {
    id: text(f, "id"),
    state: text(f, "state"),
    host: text(f, "host"),
    pid: number(f, "pid"),
    foldedSeq: number(f, "foldedSeq"),
    foldVersion: number(f, "foldVersion"),
    startedAtMs: number(f, "startedAtMs"),
    lastSeenMsAgo: number(f, "lastSeenMsAgo"),
  };
}

function unreadable(what: string): never {
  throw new MalformedError(`the coordinator's report cannot be read: ${what}`);
}

function fields(value: unknown, what: string): Fields {
  if (typeof value !== "object" || value === null || Array.isArray(value)) unreadable(`${what} is no object`);
  return Object.fromEntries(Object.entries(value));
}

function list(value: unknown, what: string): readonly unknown[] {
  return Array.isArray(value) ? value : unreadable(`${what} is no list`);
}

function text(f: Fields, key: string): string {
  const value = f[key];
  return typeof value === "string" ? value : unreadable(`${key} is no text`);
}

function textOrNull(f: Fields, key: string): string | null {
  return f[key] === null ? null : text(f, key);
}

function texts(f: Fields, key: string): readonly string[] {
  return list(f[key], key).map((each) =>
    typeof each === "string" ? each : unreadable(`${key} holds no texts`),
  );
}

function number(f: Fields, key: string): number {
  const value = f[key];
  return typeof value === "number" ? value : unreadable(`${key} is no number`);
}

function numberOrNull(f: Fields, key: string): number | null {
  return f[key] === null ? null : number(f, key);
}

function oneOf<T extends string>(f: Fields, key: string, known: readonly T[]): T {
  return known.find((each) => each === f[key]) ?? unreadable(`${key} is ${JSON.stringify(f[key])}`);
}
