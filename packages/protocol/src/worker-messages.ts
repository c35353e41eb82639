/**
 * Between the leader and a worker, over plain NATS. Messages are numbered per (epoch, worker): a worker's presence says
 * the highest that it has seen, so the leader finds out what was lost and sends it again (docs/protocol.md).
 */
import { type Identity, type Sender, type TaskId, TaskName } from "./ids.ts";
import {
  CREDITS_MAX,
  DEPENDENCIES_MAX,
  DURATION_MAX_MS,
  RECORD_ITEMS_MAX,
  TASK_NAMES_MAX,
  TEXT_LENGTH_MAX,
  TOKEN_LENGTH_MAX,
} from "./limits.ts";
import { decodeNumbered, encodeNumbered, type MessageHead } from "./numbered-message.ts";
import { packr } from "./packr.ts";
import { readTaskIds, taskId } from "./record-codec.ts";
import { readLabels } from "./submission-options.ts";
import { WIRE_VERSION } from "./versions.ts";
import type { WireCursor } from "./wire-cursor.ts";
import {
  checkVersion,
  count,
  fields,
  flag,
  guarded,
  list,
  mismatch,
  oneOf,
  type Read,
  readWire,
  text,
} from "./wire-reader.ts";
import type { WireWriter } from "./wire-writer.ts";

/** One attempt for a worker to run. */
export type Assignment = {
  readonly id: TaskId;
  readonly attempt: number;
  readonly name: TaskName;
  /** Whose progress subject it reports on. */
  readonly owner: Identity;
  readonly args: Uint8Array;
  /** In order. A value that did not fit is null in `values` and must be asked for. */
  readonly deps: AssignedDeps | null;
  readonly traceparent: string | null;
  /** How long it may run. */
  readonly timeoutMs: number | null;
};

export type AssignedDeps = {
  readonly ids: readonly TaskId[];
  readonly values: readonly (Uint8Array | null)[];
};

export type AttemptRef = { readonly id: TaskId; readonly attempt: number };

export type WorkerMessage = MessageHead & {
  readonly assignments: readonly Assignment[];
  readonly cancels: readonly (AttemptRef & { readonly reason: string | null })[];
  /** Attempts that are no longer current: stop them, their finish is void. */
  readonly aborts: readonly AttemptRef[];
};

const BODY_FIELDS = 3;
const ASSIGNMENT_FIELDS = 8;
const ATTEMPT_FIELDS = 2;
const CANCEL_FIELDS = ATTEMPT_FIELDS + 1;

export function encodeWorkerMessage(message: WorkerMessage): Uint8Array {
  const { assignments, cancels, aborts } = message;
  return encodeNumbered(message, BODY_FIELDS, (out) => {
    out.list(assignments.length);
    for (const assignment of assignments) writeAssignment(out, assignment);
    out.list(cancels.length);
    for (const cancel of cancels) {
      out.list(CANCEL_FIELDS);
      writeAttempt(out, cancel);
      out.textOrNull(cancel.reason);
    }
    out.list(aborts.length);
    for (const abort of aborts) {
      out.list(ATTEMPT_FIELDS);
      writeAttempt(out, abort);
    }
  });
}

function writeAttempt(out: WireWriter, { id, attempt }: AttemptRef): void {
  out.text(id);
  out.count(attempt);
}

function writeAssignment(out: WireWriter, assignment: Assignment): void {
  const { deps } = assignment;
  out.list(ASSIGNMENT_FIELDS);
  writeAttempt(out, assignment);
  out.text(assignment.name);
  out.text(assignment.owner);
  out.bytes(assignment.args);
  if (deps === null) out.nil();
  else {
    out.list(2);
    out.list(deps.ids.length);
    for (const id of deps.ids) out.text(id);
    out.list(deps.values.length);
    for (const value of deps.values) out.bytesOrNull(value);
  }
  out.textOrNull(assignment.traceparent);
  out.countOrNull(assignment.timeoutMs);
}

export function decodeWorkerMessage(data: Uint8Array): Read<WorkerMessage> {
  return decodeNumbered(data, BODY_FIELDS, (from) => {
    const assignments: Assignment[] = [];
    let before: Assignment | null = null;
    for (let left = from.list("assignments", RECORD_ITEMS_MAX); left > 0; left--) {
      before = readAssignment(from, before);
      assignments.push(before);
    }
    const cancels: WorkerMessage["cancels"][number][] = [];
    for (let left = from.list("cancels", RECORD_ITEMS_MAX); left > 0; left--) cancels.push(readCancel(from));
    const aborts: AttemptRef[] = [];
    for (let left = from.list("aborts", RECORD_ITEMS_MAX); left > 0; left--) aborts.push(readAbort(from));
    return { assignments, cancels, aborts };
  });
}

function readCancel(from: WireCursor): WorkerMessage["cancels"][number] {
  const further = from.fields("cancel", CANCEL_FIELDS);
  const id = from.taskId();
  const attempt = from.count("attempt");
  const reason = from.textOrNull("reason", TEXT_LENGTH_MAX);
  from.rest(further);
  return { id, attempt, reason };
}

function readAbort(from: WireCursor): AttemptRef {
  const further = from.fields("abort", ATTEMPT_FIELDS);
  const id = from.taskId();
  const attempt = from.count("attempt");
  from.rest(further);
  return { id, attempt };
}

/** Name and owner are those of the one before, most of the time. */
function readAssignment(from: WireCursor, before: Assignment | null): Assignment {
  const further = from.fields("assignment", ASSIGNMENT_FIELDS);
  const id = from.taskId();
  const attempt = from.count("attempt");
  const name = from.name("task name", TOKEN_LENGTH_MAX, before?.name);
  const owner = from.token("owner", TOKEN_LENGTH_MAX, before?.owner);
  const args = from.bytes("arguments");
  const deps = from.isNil() ? null : readDeps(from);
  const traceparent = from.textOrNull("traceparent", 64);
  const timeoutMs = from.countOrNull("time-out", DURATION_MAX_MS);
  from.rest(further);
  return { id, attempt, name, owner, args, deps, traceparent, timeoutMs };
}

function readDeps(from: WireCursor): AssignedDeps {
  const further = from.fields("dependencies", 2);
  const ids = readTaskIds(from, "dependency ids", DEPENDENCIES_MAX);
  const values: (Uint8Array | null)[] = [];
  for (let left = from.list("dependency values", DEPENDENCIES_MAX); left > 0; left--) {
    values.push(from.bytesOrNull("dependency value"));
  }
  from.rest(further);
  return ids.length === values.length
    ? { ids, values }
    : mismatch("dependency ids and values differ in number");
}

function readAttempt(wire: unknown[]): AttemptRef {
  return { id: taskId(wire[0]), attempt: count(wire[1], "attempt") };
}

export const WORKER_STATES = ["ready", "draining", "left"] as const;

/** What a worker says each second, and at once when a leader says hello. */
export type Presence = {
  readonly state: (typeof WORKER_STATES)[number];
  readonly slots: number;
  /** Attempts that it takes at once: slots plus prefetch. */
  readonly credits: number;
  readonly names: readonly TaskName[];
  readonly labels: readonly string[];
  readonly host: string;
  readonly pid: number;
  readonly startedAtMs: number;
  /** Attempts received and not yet recorded as finished. */
  readonly held: readonly AttemptRef[];
  readonly running: number;
  /** How long code that was asked to stop may take to do so. */
  readonly graceMs: number;
  /** The leader whose messages it takes, and the highest message that it has seen of it. */
  readonly epoch: number;
  readonly seen: number;
  /** The highest sequence at which the log acknowledged a finish of it. */
  readonly appendedSeq: number;
};

export function encodePresence(presence: Presence): Uint8Array {
  const { held, ...rest } = presence;
  return packr.pack([WIRE_VERSION, rest, held.map((a) => [a.id, a.attempt])]);
}

export function decodePresence(data: Uint8Array): Read<Presence> {
  return readWire(data, (wire) => {
    checkVersion(wire[0]);
    const f = fields(wire[1], "presence");
    return {
      state: oneOf(f.state, "state", WORKER_STATES),
      slots: count(f.slots, "slots", CREDITS_MAX),
      credits: count(f.credits, "credits", CREDITS_MAX),
      names: list(f.names, "names", TASK_NAMES_MAX).map((n) =>
        guarded<TaskName>(n, "task name", TaskName.is),
      ),
      labels: readLabels(f.labels),
      host: text(f.host, "host", 255),
      pid: count(f.pid, "pid"),
      startedAtMs: count(f.startedAtMs, "start"),
      held: list(wire[2], "held", CREDITS_MAX).map((item) => readAttempt(list(item, "held"))),
      running: count(f.running, "running"),
      graceMs: count(f.graceMs, "grace"),
      epoch: count(f.epoch, "epoch"),
      seen: count(f.seen, "seen"),
      appendedSeq: count(f.appendedSeq, "appended sequence"),
    };
  });
}

/** What a worker answers to a probe. */
export type ProbeAnswer = {
  /** For how long its event loop has not turned. */
  readonly blockedMs: number;
  /** Attempts whose code has begun; null where that is not known. */
  readonly begun: readonly AttemptRef[] | null;
};

export function encodeProbeAnswer({ blockedMs, begun }: ProbeAnswer): Uint8Array {
  return packr.pack([WIRE_VERSION, blockedMs, begun?.map((a) => [a.id, a.attempt]) ?? null]);
}

export function decodeProbeAnswer(data: Uint8Array): Read<ProbeAnswer> {
  return readWire(data, (wire) => {
    checkVersion(wire[0]);
    const begun = wire[2] ?? null;
    return {
      blockedMs: count(wire[1], "blocked"),
      begun:
        begun === null
          ? null
          : list(begun, "begun", RECORD_ITEMS_MAX).map((item) => readAttempt(list(item, "begun"))),
    };
  });
}

/** A leader's word to all workers and clients of its partition. */
export type Hello = {
  readonly partition: number;
  readonly epoch: number;
  readonly leader: Sender;
  /** The log is nearly full: clients hold back new tasks for a while. */
  readonly hold: boolean;
};

export function encodeHello(hello: Hello): Uint8Array {
  return packr.pack([WIRE_VERSION, hello.partition, hello.epoch, hello.leader, hello.hold]);
}

export function decodeHello(data: Uint8Array): Read<Hello> {
  return readWire(data, (wire) => {
    checkVersion(wire[0]);
    const leader = text(wire[3], "leader", 200) as Sender;
    return {
      partition: count(wire[1], "partition"),
      epoch: count(wire[2], "epoch"),
      leader,
      hold: flag(wire[4] ?? false, "hold"),
    };
  });
}
