/** Records to bytes and back. A record is checked whole before the fold sees it; what fails is void. */

import { assertNever } from "./errors.ts";
import { type InstanceId, isToken, type Nonce, Sender, TaskId, TaskName } from "./ids.ts";
import {
  DEPENDENCIES_MAX,
  DURATION_MAX_MS,
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
import {
  bytes,
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

export function encodeRecord(record: LogRecord): Uint8Array {
  return packr.pack([WIRE_VERSION, record.instance, record.number, ...body(record)]);
}

function body(record: LogRecord): unknown[] {
  switch (record.type) {
    case "submit":
      return [record.tasks.map(submissionToWire)];
    case "cancel":
      return [record.cancels.map((c) => [c.id, c.reason, c.dependents])];
    case "received":
      return [record.ids];
    case "finish":
      return [record.finishes.map(finishToWire)];
    case "control":
      return [record.epoch, record.wallMs, record.foldVersion, eventToWire(record.event)];
    default:
      return assertNever(record);
  }
}

function submissionToWire(task: Submission): unknown[] {
  return [
    task.id,
    task.name,
    task.args,
    task.dependsOn,
    task.options === null ? null : optionsToWire(task.options),
  ];
}

function finishToWire({ failure, ...finish }: Finish): unknown[] {
  return [
    finish.id,
    finish.attempt,
    finish.outcome,
    finish.started,
    finish.progress,
    finish.value,
    failure === null ? null : [failure.errorName, failure.nonRetryable, failure.retryAfterMs],
  ];
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
  return readWire(data, (wire) => {
    const version = count(wire[0], "version");
    if (version > WIRE_VERSION) mismatch(`version ${version} is newer than ${WIRE_VERSION}`);
    if (version < 1) mismatch("version is unknown");
    const instance = guarded<InstanceId>(wire[1], "instance", isToken);
    const number = count(wire[2], "record number");
    switch (kind) {
      case "submit":
        return readSubmit(instance, number, wire);
      case "cancel":
        return readCancel(instance, number, wire);
      case "received":
        return readReceived(instance, number, wire);
      case "finish":
        return readFinish(instance, number, wire);
      case "control":
        return readControl(instance, number, wire);
      case "peer":
        return mismatch("peer records belong to clusters of several partitions");
      default:
        return assertNever(kind);
    }
  });
}

function readSubmit(instance: InstanceId, number: number, wire: unknown[]): SubmitRecord {
  const tasks = list(wire[3], "tasks", RECORD_ITEMS_MAX).map(readSubmission);
  return { type: "submit", instance, number, tasks };
}

function readSubmission(item: unknown): Submission {
  const wire = list(item, "task");
  return {
    id: taskId(wire[0]),
    name: guarded<TaskName>(wire[1], "task name", TaskName.is),
    args: bytes(wire[2], "arguments"),
    dependsOn: list(wire[3], "dependencies", DEPENDENCIES_MAX).map(taskId),
    options: wire[4] === null ? null : readOptions(wire[4]),
  };
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

function readFinish(instance: InstanceId, number: number, wire: unknown[]): FinishRecord {
  return {
    type: "finish",
    instance,
    number,
    finishes: list(wire[3], "finishes", RECORD_ITEMS_MAX).map(readOneFinish),
  };
}

function readOneFinish(item: unknown): Finish {
  const wire = list(item, "finish");
  return {
    id: taskId(wire[0]),
    attempt: count(wire[1], "attempt"),
    outcome: oneOf(wire[2], "outcome", FINISH_OUTCOMES),
    started: flag(wire[3], "started"),
    progress: bytesOrNull(wire[4], "progress"),
    value: bytesOrNull(wire[5], "value"),
    failure: wire[6] === null ? null : readFailure(list(wire[6], "failure")),
  };
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
