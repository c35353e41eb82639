/** Records to bytes and back. A record is checked whole before the fold sees it; what fails is void. */

import { assertNever } from "./errors.ts";
import { type InstanceId, isToken, type Nonce, TaskId, TaskName } from "./ids.ts";
import {
  DEPENDENCIES_MAX,
  LABELS_MAX,
  RECORD_ITEMS_MAX,
  TEXT_LENGTH_MAX,
  TOKEN_LENGTH_MAX,
} from "./limits.ts";
import { packr } from "./packr.ts";
import {
  type CancelRecord,
  type ControlEvent,
  type ControlRecord,
  FINISH_OUTCOMES,
  type Finish,
  type FinishRecord,
  type LogRecord,
  type LostAttempt,
  type Submission,
  type SubmissionOptions,
  type SubmitRecord,
} from "./record.ts";
import type { LogKind } from "./subjects.ts";
import { WIRE_VERSION } from "./versions.ts";
import {
  bytes,
  bytesOrNull,
  count,
  fields,
  flag,
  guarded,
  integer,
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
      return [record.cancels.map((c) => [c.id, c.reason])];
    case "finish":
      return [record.finishes.map((f) => [f.id, f.attempt, f.outcome, f.started, f.progress, f.value])];
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

function optionsToWire(options: SubmissionOptions): Record<string, unknown> {
  const wire: Record<string, unknown> = {};
  if (options.priority !== 0) wire.priority = options.priority;
  if (options.labels.length > 0) wire.labels = options.labels;
  if (options.parent !== null) wire.parent = [options.parent.id, options.parent.attempt];
  if (options.traceparent !== null) wire.traceparent = options.traceparent;
  return wire;
}

function eventToWire(event: ControlEvent): unknown[] {
  switch (event.type) {
    case "fold_version":
      return ["fold_version", event.version];
    case "elected":
      return ["elected", event.nonce];
    case "resigned":
    case "tick":
      return [event.type];
    case "lost":
      return ["lost", event.attempts.map((a) => [a.id, a.attempt, a.started, a.workerLost])];
    default:
      return assertNever(event);
  }
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

const OPTIONS = new Set(["priority", "labels", "parent", "traceparent"]);

function readOptions(value: unknown): SubmissionOptions {
  const wire = fields(value, "options");
  for (const key of Object.keys(wire)) if (!OPTIONS.has(key)) mismatch("an option is unknown");
  const parent = wire.parent === undefined ? null : list(wire.parent, "parent");
  return {
    priority: wire.priority === undefined ? 0 : integer(wire.priority, "priority"),
    labels: readLabels(wire.labels ?? []),
    parent: parent === null ? null : { id: taskId(parent[0]), attempt: count(parent[1], "parent attempt") },
    traceparent: textOrNull(wire.traceparent ?? null, "traceparent", 64),
  };
}

export function readLabels(value: unknown): string[] {
  return list(value, "labels", LABELS_MAX).map((label) => guarded<string>(label, "label", isToken));
}

function readCancel(instance: InstanceId, number: number, wire: unknown[]): CancelRecord {
  const cancels = list(wire[3], "cancels", RECORD_ITEMS_MAX).map((item) => {
    const cancel = list(item, "cancel");
    return { id: taskId(cancel[0]), reason: textOrNull(cancel[1], "reason", TEXT_LENGTH_MAX) };
  });
  return { type: "cancel", instance, number, cancels };
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
    case "tick":
      return { type };
    case "fold_version":
      return { type, version: count(wire[1], "fold version") };
    case "lost":
      return { type, attempts: list(wire[1], "attempts", RECORD_ITEMS_MAX).map(readLost) };
    default:
      return mismatch("control event is unknown");
  }
}

function readLost(item: unknown): LostAttempt {
  const wire = list(item, "lost attempt");
  return {
    id: taskId(wire[0]),
    attempt: count(wire[1], "attempt"),
    started: flag(wire[2], "started"),
    workerLost: flag(wire[3], "worker lost"),
  };
}

export function taskId(value: unknown): TaskId {
  return guarded<TaskId>(value, "task id", TaskId.is);
}
