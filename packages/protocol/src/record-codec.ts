/** Records to bytes and back. A record is checked whole before the fold sees it; what fails is void. */

import { assertNever } from "./errors.ts";
import { type InstanceId, isToken, type Nonce, Sender, TaskId, type TaskName } from "./ids.ts";
import {
  DEPENDENCIES_MAX,
  DURATION_MAX_MS,
  RECORD_BYTES_TARGET,
  RECORD_ITEMS_MAX,
  TEXT_LENGTH_MAX,
  TOKEN_LENGTH_MAX,
} from "./limits.ts";
import { packr } from "./packr.ts";
import {
  CARRIED_PARTS,
  type Cancel,
  type CancelRecord,
  type Carried,
  type ControlEvent,
  type ControlRecord,
  EXPIRED_LIMITS,
  type ExpiredAttempt,
  FINISH_OUTCOMES,
  type Finish,
  type FinishFailure,
  type FinishRecord,
  type HashMark,
  type LedgerSettings,
  type LogRecord,
  type LostAttempt,
  type ReceivedRecord,
  type Submission,
  type SubmitRecord,
} from "./record.ts";
import type { LogKind } from "./subjects.ts";
import { optionsToWire, readOptions } from "./submission-options.ts";
import { WIRE_VERSION } from "./versions.ts";
import { readBytes, type WireCursor } from "./wire-cursor.ts";
import {
  bytesOrNull,
  count,
  flag,
  guarded,
  list,
  mismatch,
  oneOf,
  type Read,
  readWire,
  text,
  textOrNull,
} from "./wire-reader.ts";
import { WireWriter, written } from "./wire-writer.ts";

/** Version, sender's instance, its record number. */
const HEAD_FIELDS = 3;
const SUBMISSION_FIELDS = 5;
const FINISH_FIELDS = 7;

export function encodeRecord(record: LogRecord): Uint8Array {
  switch (record.type) {
    case "submit":
      return written((out) => {
        writeHead(out, record);
        out.list(record.tasks.length);
        for (const task of record.tasks) writeSubmission(out, task);
      });
    case "finish":
      return written((out) => {
        writeHead(out, record);
        out.list(record.finishes.length);
        for (const finish of record.finishes) writeFinish(out, finish);
      });
    case "cancel":
      return packr.pack([...headOf(record), record.cancels.map((c) => [c.id, c.reason, c.dependents])]);
    case "received":
      return packr.pack([...headOf(record), record.ids]);
    case "control": {
      const { epoch, wallMs, foldVersion, event } = record;
      return packr.pack([...headOf(record), epoch, wallMs, foldVersion, eventToWire(event)]);
    }
    default:
      return assertNever(record);
  }
}

/** Several records, so that few have to move on their way. */
const ROOM_BYTES = 4 * RECORD_BYTES_TARGET;

/**
 * Writes submit records task by task, as they come: a task that waits to be sent takes its bytes in a record and no object.
 * One record is written at a time.
 */
export class SubmitRecordWriter {
  private readonly out = new WireWriter(ROOM_BYTES, Number.POSITIVE_INFINITY);
  private listAt = 0;
  private count = 0;

  begin(instance: InstanceId, number: number): void {
    writeHead(this.out, { instance, number });
    this.listAt = this.out.openList();
    this.count = 0;
  }

  write(task: Submission): void {
    writeSubmission(this.out, task);
    this.count++;
  }

  end(): Uint8Array {
    this.out.lengthOfList(this.listAt, this.count);
    return this.out.take();
  }
}

const headOf = ({ instance, number }: LogRecord): unknown[] => [WIRE_VERSION, instance, number];

function writeHead(out: WireWriter, { instance, number }: Pick<LogRecord, "instance" | "number">): void {
  out.list(HEAD_FIELDS + 1);
  out.count(WIRE_VERSION);
  out.text(instance);
  out.count(number);
}

function writeSubmission(out: WireWriter, { id, name, args, dependsOn, options }: Submission): void {
  out.list(SUBMISSION_FIELDS);
  out.text(id);
  out.text(name);
  out.bytes(args);
  out.list(dependsOn.length);
  for (const dependency of dependsOn) out.text(dependency);
  if (options === null) out.nil();
  else out.packed(optionsToWire(options));
}

function writeFinish(out: WireWriter, finish: Finish): void {
  const { failure } = finish;
  out.list(FINISH_FIELDS);
  out.text(finish.id);
  out.count(finish.attempt);
  out.text(finish.outcome);
  out.flag(finish.started);
  out.bytesOrNull(finish.progress);
  out.bytesOrNull(finish.value);
  if (failure === null) out.nil();
  else out.packed([failure.errorName, failure.nonRetryable, failure.retryAfterMs]);
}

function eventToWire(event: ControlEvent): unknown[] {
  switch (event.type) {
    case "fold_version":
      return ["fold_version", event.version];
    case "settings":
      return ["settings", settingsToWire(event.settings)];
    case "elected":
      return ["elected", event.nonce];
    case "resigned":
      return [event.type];
    case "tick":
      return event.mark === null
        ? [event.type]
        : [event.type, event.mark.seq, event.mark.high, event.mark.low];
    case "lost":
      return ["lost", event.attempts.map((a) => [a.id, a.attempt, a.started, a.lostWorker])];
    case "expired":
      return ["expired", event.attempts.map((a) => [a.id, a.attempt, a.limit])];
    case "carry":
      return ["carry", event.carried.map((c) => [c.part, c.id, c.seq, c.index, c.value])];
    default:
      return assertNever(event);
  }
}

function settingsToWire(settings: LedgerSettings): unknown[] {
  const { retentionMs, retentionMinMs, settledTasksMax, resultBytesMax, logBytesMax } = settings;
  return [retentionMs, retentionMinMs, settledTasksMax, resultBytesMax, logBytesMax];
}

/** A record of the kind that its subject names, or why it is void. */
export function decodeRecord(kind: LogKind, data: Uint8Array): Read<LogRecord> {
  switch (kind) {
    case "submit":
      return readBytes(data, readSubmit);
    case "finish":
      return readBytes(data, readFinish);
    case "cancel":
      return readWire(data, (wire) => readCancel(...headIn(wire), wire));
    case "received":
      return readWire(data, (wire) => readReceived(...headIn(wire), wire));
    case "control":
      return readWire(data, (wire) => readControl(...headIn(wire), wire));
    case "peer":
      return readWire(data, (wire) => {
        headIn(wire);
        return mismatch("peer records belong to clusters of several partitions");
      });
    default:
      return assertNever(kind);
  }
}

function headIn(wire: unknown[]): [InstanceId, number] {
  checkWireVersion(count(wire[0], "version"));
  return [guarded<InstanceId>(wire[1], "instance", isToken), count(wire[2], "record number")];
}

function checkWireVersion(version: number): void {
  if (version > WIRE_VERSION) mismatch(`version ${version} is newer than ${WIRE_VERSION}`);
  if (version < 1) mismatch("version is unknown");
}

function readHead(from: WireCursor): { instance: InstanceId; number: number; further: number } {
  const length = from.list("message");
  checkWireVersion(from.count("version"));
  const further = from.beyond(length, "message", HEAD_FIELDS + 1);
  const instance = from.token<InstanceId>("instance", TOKEN_LENGTH_MAX);
  return { instance, number: from.count("record number"), further };
}

function readSubmit(from: WireCursor): SubmitRecord {
  const { instance, number, further } = readHead(from);
  const tasks = new Array<Submission>(from.list("tasks", RECORD_ITEMS_MAX));
  let name: TaskName | null = null;
  for (let index = 0; index < tasks.length; index++) {
    const task = readSubmission(from, name);
    name = task.name;
    tasks[index] = task;
  }
  from.rest(further);
  return { type: "submit", instance, number, tasks };
}

/** Most tasks of a record have one name: it is made once. */
function readSubmission(from: WireCursor, before: TaskName | null): Submission {
  const further = from.fields("task", SUBMISSION_FIELDS);
  const id = from.taskId();
  const name = from.name("task name", TOKEN_LENGTH_MAX, before);
  const args = from.bytes("arguments");
  const dependsOn = readTaskIds(from, "dependencies", DEPENDENCIES_MAX);
  const options = from.isNil() ? null : readOptions(from.packed());
  from.rest(further);
  return { id, name, args, dependsOn, options };
}

const NO_IDS: readonly TaskId[] = Object.freeze([]);

export function readTaskIds(from: WireCursor, what: string, most: number): readonly TaskId[] {
  const length = from.list(what, most);
  if (length === 0) return NO_IDS;
  const ids: TaskId[] = [];
  for (let left = length; left > 0; left--) ids.push(from.taskId());
  return ids;
}

function readFinish(from: WireCursor): FinishRecord {
  const { instance, number, further } = readHead(from);
  const finishes = new Array<Finish>(from.list("finishes", RECORD_ITEMS_MAX));
  for (let index = 0; index < finishes.length; index++) finishes[index] = readOneFinish(from);
  from.rest(further);
  return { type: "finish", instance, number, finishes };
}

function readOneFinish(from: WireCursor): Finish {
  const further = from.fields("finish", FINISH_FIELDS);
  const id = from.taskId();
  const attempt = from.count("attempt");
  const outcome = from.oneOf("outcome", FINISH_OUTCOMES);
  const started = from.flag("started");
  const progress = from.bytesOrNull("progress");
  const value = from.bytesOrNull("value");
  const failure = from.isNil() ? null : readFailure(list(from.packed(), "failure"));
  from.rest(further);
  return { id, attempt, outcome, started, progress, value, failure };
}

function readCancel(instance: InstanceId, number: number, wire: unknown[]): CancelRecord {
  const cancels = list(wire[3], "cancels", RECORD_ITEMS_MAX).map(readOneCancel);
  return { type: "cancel", instance, number, cancels };
}

function readOneCancel(item: unknown): Cancel {
  const wire = list(item, "cancel");
  return {
    id: taskId(wire[0]),
    reason: textOrNull(wire[1], "reason", TEXT_LENGTH_MAX),
    dependents: flag(wire[2], "dependents"),
  };
}

function readReceived(instance: InstanceId, number: number, wire: unknown[]): ReceivedRecord {
  return { type: "received", instance, number, ids: list(wire[3], "ids", RECORD_ITEMS_MAX).map(taskId) };
}

function readFailure(wire: unknown[]): FinishFailure {
  return {
    errorName: text(wire[0], "name of the error", TOKEN_LENGTH_MAX),
    nonRetryable: flag(wire[1], "non-retryable"),
    retryAfterMs: wire[2] === null ? null : count(wire[2], "retry after", DURATION_MAX_MS),
  };
}

function readControl(instance: InstanceId, number: number, wire: unknown[]): ControlRecord {
  return {
    type: "control",
    instance,
    number,
    epoch: count(wire[3], "epoch"),
    wallMs: count(wire[4], "wall clock"),
    foldVersion: count(wire[5], "fold version"),
    event: readEvent(list(wire[6], "event")),
  };
}

function readEvent(wire: unknown[]): ControlEvent {
  const type = text(wire[0], "event", TOKEN_LENGTH_MAX);
  switch (type) {
    case "elected":
      return { type, nonce: guarded<Nonce>(wire[1], "nonce", isToken) };
    case "resigned":
      return { type };
    case "tick":
      return { type, mark: wire.length === 1 ? null : readMark(wire) };
    case "fold_version":
      return { type, version: count(wire[1], "fold version") };
    case "settings":
      return { type, settings: readSettings(list(wire[1], "settings")) };
    case "lost":
      return { type, attempts: list(wire[1], "attempts", RECORD_ITEMS_MAX).map(readLost) };
    case "expired":
      return { type, attempts: list(wire[1], "attempts", RECORD_ITEMS_MAX).map(readExpired) };
    case "carry":
      return { type, carried: list(wire[1], "values", RECORD_ITEMS_MAX).map(readCarried) };
    default:
      return mismatch("control event is unknown");
  }
}

function readMark(wire: unknown[]): HashMark {
  return {
    seq: count(wire[1], "sequence"),
    high: count(wire[2], "hash", 0xffff_ffff),
    low: count(wire[3], "hash", 0xffff_ffff),
  };
}

function readSettings(wire: unknown[]): LedgerSettings {
  return {
    retentionMs: count(wire[0], "retention"),
    retentionMinMs: count(wire[1], "least retention"),
    settledTasksMax: count(wire[2], "settled tasks"),
    resultBytesMax: count(wire[3], "bytes of results"),
    logBytesMax: count(wire[4], "bytes of the log"),
  };
}

function readLost(item: unknown): LostAttempt {
  const wire = list(item, "lost attempt");
  return {
    id: taskId(wire[0]),
    attempt: count(wire[1], "attempt"),
    started: flag(wire[2], "started"),
    lostWorker: wire[3] === null ? null : guarded<Sender>(wire[3], "lost worker", Sender.is),
  };
}

function readExpired(item: unknown): ExpiredAttempt {
  const wire = list(item, "expired attempt");
  return {
    id: taskId(wire[0]),
    attempt: count(wire[1], "attempt"),
    limit: oneOf(wire[2], "limit", EXPIRED_LIMITS),
  };
}

function readCarried(item: unknown): Carried {
  const wire = list(item, "value");
  return {
    part: oneOf(wire[0], "part", CARRIED_PARTS),
    id: taskId(wire[1]),
    seq: count(wire[2], "sequence"),
    index: count(wire[3], "index", RECORD_ITEMS_MAX),
    value: bytesOrNull(wire[4], "value"),
  };
}

export function taskId(value: unknown): TaskId {
  return guarded<TaskId>(value, "task id", TaskId.is);
}
