/** One event or progress report of the cluster, from its JSON line, and how it is told to a person. */
import {
  decodeProgress,
  LIVE_STATES,
  lastToken,
  OUTCOMES,
  type ProgressReport,
  taskEventOf,
} from "@weft/protocol";
import { oneLine } from "./output.ts";

type Fields = Readonly<Record<string, unknown>>;

export type ClusterEvent = { readonly subject: string; readonly fields: Fields } & (
  | { readonly type: "task"; readonly id: string; readonly name: string; readonly state: string }
  /** Events of tasks that the coordinator had no room to keep until it knew that somebody listens. */
  | { readonly type: "omitted"; readonly count: number; readonly name: string; readonly state: string }
  | { readonly type: "worker" | "coordinator"; readonly who: string; readonly kind: string }
  | { readonly type: "progress"; readonly report: ProgressReport }
);

/** What an event of a task may say of it: where an attempt went, and that it ended without an outcome, are no states. */
export const TASK_EVENT_STATES: readonly string[] = [
  "submitted",
  "dispatched",
  "reopened",
  ...LIVE_STATES,
  ...OUTCOMES,
];

const decoder = new TextDecoder();
const LABELLED = ["worker", "because", "why", "attempts", "epoch", "host", "pid"] as const;

/** The events of one message; lines that are none are passed over. */
export function readEvents(subject: string, data: Uint8Array): readonly ClusterEvent[] {
  return decoder
    .decode(data)
    .split("\n")
    .flatMap((line) => {
      const fields = parseFields(line);
      const event = fields === null ? null : readEvent(subject, fields);
      return event === null ? [] : [event];
    });
}

export function readProgress(subject: string, data: Uint8Array): ClusterEvent | null {
  const report = decodeProgress(data);
  return report === null ? null : { type: "progress", subject, fields: { ...report }, report };
}

function parseFields(line: string): Fields | null {
  if (line === "") return null;
  try {
    const value: unknown = JSON.parse(line);
    return typeof value === "object" && value !== null && !Array.isArray(value)
      ? Object.fromEntries(Object.entries(value))
      : null;
  } catch {
    return null;
  }
}

function readEvent(subject: string, fields: Fields): ClusterEvent | null {
  const { id, name, state, worker, coordinator, omitted } = fields;
  if (typeof id === "string" && typeof name === "string" && typeof state === "string") {
    return { type: "task", subject, fields, id, name, state };
  }
  if (typeof omitted === "number") {
    const about = taskEventOf(subject);
    return about === null ? null : { type: "omitted", subject, fields, count: omitted, ...about };
  }
  const kind = lastToken(subject);
  if (typeof coordinator === "string")
    return { type: "coordinator", subject, fields, who: coordinator, kind };
  return typeof worker === "string" ? { type: "worker", subject, fields, who: worker, kind } : null;
}

/** `nameOf` gives the name of a task, which progress does not carry. */
export function describeEvent(event: ClusterEvent, nameOf: (id: string) => string | undefined): string {
  return oneLine(`${timeOf(event.fields)} ${textOf(event, nameOf)}`);
}

function textOf(event: ClusterEvent, nameOf: (id: string) => string | undefined): string {
  switch (event.type) {
    case "task": {
      const { attempt } = event.fields;
      const which = typeof attempt === "number" && attempt > 1 ? ` (attempt ${attempt})` : "";
      return `task ${event.name} ${event.id} ${event.state}${which}${details(event.fields)}`;
    }
    case "omitted":
      return `task ${event.name} ${event.state}: ${event.count} ${event.count === 1 ? "event" : "events"} omitted`;
    case "progress": {
      const { task, fraction, message } = event.report;
      const said = message === undefined ? "" : ` ${message}`;
      return `task ${nameOf(task) ?? "?"} ${task} ${Math.round(fraction * 100)} %${said}`;
    }
    case "worker": {
      const { worker: _, ...others } = event.fields;
      return `worker ${event.who} ${event.kind}${offers(others)}${details(others)}`;
    }
    case "coordinator":
      return `coordinator ${event.who} ${event.kind}${details(event.fields)}`;
    default:
      return event satisfies never;
  }
}

function offers({ names, slots }: Fields): string {
  const tasks = Array.isArray(names) ? ` tasks ${names.join(", ")}` : "";
  return typeof slots === "number" ? `${tasks}; ${slots} ${slots === 1 ? "slot" : "slots"}` : tasks;
}

function details(fields: Fields): string {
  const told = LABELLED.filter((key) => fields[key] !== undefined).map(
    (key) => `${key} ${String(fields[key])}`,
  );
  return told.length === 0 ? "" : ` (${told.join(", ")})`;
}

/** When it happened, by the clock of who reports it; else when it arrived here. */
function timeOf({ at }: Fields): string {
  const stamp = typeof at === "string" ? new Date(at) : new Date();
  return (Number.isNaN(stamp.getTime()) ? new Date() : stamp).toISOString();
}
