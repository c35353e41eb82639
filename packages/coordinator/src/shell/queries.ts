/** Answers the questions of clients, workers and people from the ledger and the scheduler. Only the leader answers. */
import { hostname } from "node:os";
import {
  type Answer,
  assertNever,
  BlobId,
  type CoordinatorReport,
  DEFAULT_OPTIONS,
  type Expiry,
  type InfoReport,
  type ListFilter,
  type ListReport,
  MESSAGE_BYTES_TARGET,
  type Question,
  type Sender,
  type StateAnswer,
  type TaskId,
  type TaskReport,
  type TaskRow,
  type WorkerReport,
} from "@weft/protocol";
import {
  hasExpired,
  isFreed,
  isLive,
  type Ledger,
  type LiveTask,
  mayHaveExpired,
  type SettledTask,
  tell,
} from "../core/ledger/index.ts";
import { because } from "./because.ts";
import type { BlobStore } from "./blob-store.ts";
import { bytesOf, messageOf } from "./client-outlet.ts";
import { explain } from "./explanation.ts";
import type { Term } from "./term.ts";
import type { ValueStore } from "./value-store.ts";

export type QueryContext = {
  readonly ledger: Ledger;
  readonly values: ValueStore;
  readonly blobs: BlobStore;
  readonly term: Term;
  readonly self: Sender;
  readonly lastSeenMsAgo: (worker: Sender) => number;
  readonly isBlocked: (worker: Sender) => boolean;
  /** All coordinators that live. */
  readonly coordinators: () => readonly CoordinatorReport[];
  readonly voided: () => Readonly<Record<string, number>>;
};

const ITEM_BYTES = 64;

export async function answer(question: Question, asker: Sender, context: QueryContext): Promise<Answer> {
  switch (question.type) {
    case "states":
      return states(question.ids, question.watch ? asker : null, context);
    case "values":
      return values(question.ids, context);
    case "chunk":
      return chunk(question, context);
    case "show":
      return show(question.id, context);
    case "explain":
      return explanation(question.id, context);
    case "list":
      return { type: "report", report: list(question.filter, context) };
    case "workers":
      return { type: "report", report: workers(context) };
    case "info":
      return { type: "report", report: info(context) };
    default:
      return assertNever(question);
  }
}

async function states(
  ids: readonly TaskId[],
  watcher: Sender | null,
  context: QueryContext,
): Promise<Answer> {
  const answers: StateAnswer[] = [];
  let bytes = 0;
  for (const id of ids) {
    const live = context.ledger.live.get(id);
    const settled = context.ledger.settled.get(id);
    if (live !== undefined) {
      if (watcher !== null && live.owner !== watcher && !context.term.clients.watch(id, watcher)) {
        return { type: "refused", message: "too many tasks are watched already" };
      }
      answers.push({ type: "live", id, state: live.state, attempt: live.attempt });
    } else if (settled === undefined)
      answers.push({ type: "unknown", id, expired: expiryOf(id, context.ledger) });
    else {
      const { reason, source } = tell(context.ledger, settled);
      const message = messageOf(settled, reason, null, await load(source, context));
      bytes += bytesOf(message);
      // What does not fit is asked for again.
      if (bytes > MESSAGE_BYTES_TARGET && answers.length > 0) break;
      answers.push({ type: "settled", task: message });
    }
    bytes += ITEM_BYTES;
  }
  return { type: "states", states: answers };
}

async function values(ids: readonly TaskId[], context: QueryContext): Promise<Answer> {
  const found: (Uint8Array | null)[] = [];
  let bytes = 0;
  for (const id of ids) {
    const settled = context.ledger.settled.get(id);
    if (settled === undefined || isFreed(settled)) return { type: "expired", id };
    const value = await load(tell(context.ledger, settled).source, context);
    bytes += value?.length ?? 0;
    if (bytes > MESSAGE_BYTES_TARGET && found.length > 0) break;
    found.push(value);
  }
  return { type: "values", values: found };
}

async function chunk(
  { identity, id, chunk: number }: Question & { readonly type: "chunk" },
  { blobs, ledger }: QueryContext,
): Promise<Answer> {
  const data = await blobs.chunk({ identity, id }, number);
  const task = BlobId.read(id)?.task;
  const settled = task === undefined ? undefined : ledger.settled.get(task);
  const isKnown =
    task !== undefined && (ledger.live.has(task) || (settled !== undefined && !isFreed(settled)));
  return { type: "chunk", data, isExpired: data === null && !isKnown };
}

async function load(source: SettledTask | null, context: QueryContext): Promise<Uint8Array | null> {
  return source === null || source.finish === null ? null : context.values.load(source.finish);
}

async function show(id: TaskId, context: QueryContext): Promise<Answer> {
  const { ledger, term } = context;
  const task = ledger.live.get(id) ?? ledger.settled.get(id);
  if (task === undefined) return unknownTask(id, ledger);
  // Of a settled task nobody needs the arguments: they may be purged, or be where they were carried to.
  const record = isLive(task) ? null : await context.values.record(task.submitted.seq);
  const submission = record?.type === "submit" ? record.tasks[task.submitted.index] : undefined;
  const live = isLive(task) ? task : null;
  const options = submission?.options ?? DEFAULT_OPTIONS;
  const { priority } = live ?? options;
  const { labels } = live?.terms ?? options;
  const dependencies = live?.dependencies ?? submission?.dependsOn ?? [];
  const report: TaskReport = {
    id,
    name: task.name,
    state: stateOf(task),
    owner: live?.owner ?? (record?.type === "submit" ? record.instance : ""),
    attempt: task.attempt,
    tries: task.tries,
    priority,
    labels,
    dependencies: dependencies.map((each) => dependency(each, ledger)),
    dependents: live?.dependents.length ?? 0,
    submittedAtMs: live?.submittedAtMs ?? null,
    settledAtMs: live === null ? (task as SettledTask).settledAtMs : null,
    worker: term.scheduler.workerOf(id)?.id ?? null,
    because: because(task, ledger, term.scheduler),
  };
  return { type: "report", report };
}

function explanation(id: TaskId, { ledger, term }: QueryContext): Answer {
  const report = explain(id, ledger, term.scheduler);
  return report === null ? unknownTask(id, ledger) : { type: "report", report };
}

function expiryOf(id: TaskId, ledger: Ledger): Expiry {
  if (hasExpired(ledger, id)) return "yes";
  return mayHaveExpired(ledger, id) ? "maybe" : "no";
}

function unknownTask(id: TaskId, ledger: Ledger): Answer {
  if (hasExpired(ledger, id)) return { type: "expired", id };
  const or = mayHaveExpired(ledger, id) ? ", or it is not kept any more" : "";
  return { type: "refused", message: `nobody has submitted task ${id}${or}` };
}

function dependency(id: TaskId, ledger: Ledger): TaskReport["dependencies"][number] {
  const task = ledger.live.get(id) ?? ledger.settled.get(id);
  return task === undefined
    ? { id, name: null, state: "unknown" }
    : { id, name: task.name, state: stateOf(task) };
}

function stateOf(task: LiveTask | SettledTask): TaskRow["state"] {
  return isLive(task) ? task.state : task.outcome;
}

/** The newest first: settled tasks are kept in the order in which they settled. */
function list(filter: ListFilter, { ledger, term }: QueryContext): ListReport {
  const rows: TaskRow[] = [];
  let total = 0;
  const wanted = new Set<string>(filter.states);
  const consider = (task: LiveTask | SettledTask): void => {
    const state = stateOf(task);
    if (wanted.size > 0 && !wanted.has(state)) return;
    if (filter.name !== null && task.name !== filter.name) return;
    total++;
    const worker = term.scheduler.workerOf(task.id)?.id ?? null;
    rows.push({ id: task.id, name: task.name, state, attempt: task.attempt, worker });
    if (rows.length > 2 * filter.limit) rows.splice(0, rows.length - filter.limit);
  };
  for (const task of ledger.settled.values()) consider(task);
  for (const task of ledger.live) consider(task);
  return { rows: filter.limit === 0 ? [] : rows.slice(-filter.limit).reverse(), total };
}

function workers({ term, lastSeenMsAgo, isBlocked }: QueryContext): WorkerReport[] {
  return [...term.scheduler.workers.values()].map(({ id, presence, out }) => ({
    id,
    state: isBlocked(id) ? "blocked" : presence.state,
    host: presence.host,
    pid: presence.pid,
    slots: presence.slots,
    credits: presence.credits,
    running: presence.running,
    assigned: out.size,
    names: presence.names,
    labels: presence.labels,
    startedAtMs: presence.startedAtMs,
    lastSeenMsAgo: lastSeenMsAgo(id),
  }));
}

function info({ ledger, term, self, coordinators, voided }: QueryContext): InfoReport {
  const tasks = { waiting: 0, backing_off: 0, released: 0, cancelling: 0, settled: ledger.settled.size };
  for (const task of ledger.live) tasks[task.state]++;
  return {
    leader: self,
    host: hostname(),
    pid: process.pid,
    epoch: ledger.epoch,
    foldedSeq: ledger.seq,
    foldVersion: ledger.foldVersion,
    coordinators: coordinators(),
    tasks,
    workers: term.scheduler.workers.size,
    voided: voided(),
  };
}
