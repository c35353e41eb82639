/**
 * From the leader to a client: settled tasks, numbered per (epoch, client). A client that sees a gap, a new epoch or
 * nothing for a while asks for the states of its open handles.
 */
import type { TaskId, TaskName } from "./ids.ts";
import { RECORD_ITEMS_MAX, TOKEN_LENGTH_MAX } from "./limits.ts";
import { decodeNumbered, encodeNumbered, type MessageHead } from "./numbered-message.ts";
import {
  LIVE_STATES,
  type LiveState,
  OUTCOMES,
  type Outcome,
  type Reason,
  readReason,
  reasonToWire,
} from "./outcome.ts";
import { taskId } from "./record-codec.ts";
import { readBytes, type WireCursor } from "./wire-cursor.ts";
import { bytes, count, list, mismatch, oneOf, type Read } from "./wire-reader.ts";
import { type WireWriter, written } from "./wire-writer.ts";

export type SettledTask = {
  readonly id: TaskId;
  readonly name: TaskName;
  readonly outcome: Outcome;
  readonly attempt: number;
  /** Attempts whose code began. */
  readonly tries: number;
  readonly progress: Uint8Array | null;
  /** The value or the failure; null where there is none, or where `fetch` says to ask for it. */
  readonly value: Uint8Array | null;
  readonly fetch: boolean;
  readonly reason: Reason | null;
};

export type ClientMessage = MessageHead & { readonly settled: readonly SettledTask[] };

const BODY_FIELDS = 1;
const SETTLED_FIELDS = 9;

export function encodeClientMessage(message: ClientMessage): Uint8Array {
  return encodeNumbered(message, BODY_FIELDS, (out) => {
    out.list(message.settled.length);
    for (const task of message.settled) writeSettled(out, task);
  });
}

export function decodeClientMessage(data: Uint8Array): Read<ClientMessage> {
  return decodeNumbered(data, BODY_FIELDS, (from) => {
    const settled: SettledTask[] = [];
    let name: TaskName | null = null;
    for (let left = from.list("settled", RECORD_ITEMS_MAX); left > 0; left--) {
      const task = readSettled(from, name);
      name = task.name;
      settled.push(task);
    }
    return { settled };
  });
}

function writeSettled(out: WireWriter, task: SettledTask): void {
  out.list(SETTLED_FIELDS);
  out.text(task.id);
  out.text(task.name);
  out.text(task.outcome);
  out.count(task.attempt);
  out.bytesOrNull(task.progress);
  out.bytesOrNull(task.value);
  out.flag(task.fetch);
  if (task.reason === null) out.nil();
  else out.packed(reasonToWire(task.reason));
  out.count(task.tries);
}

function readSettled(from: WireCursor, before: TaskName | null): SettledTask {
  const further = from.fields("settled task", SETTLED_FIELDS);
  const id = from.taskId();
  const name = from.name("task name", TOKEN_LENGTH_MAX, before);
  const outcome = from.oneOf("outcome", OUTCOMES);
  const attempt = from.count("attempt");
  const progress = from.bytesOrNull("progress");
  const value = from.bytesOrNull("value");
  const fetch = from.flag("fetch");
  const reason = from.isNil() ? null : readReason(from.packed());
  const tries = from.count("tries");
  from.rest(further);
  return { id, name, outcome, attempt, tries, progress, value, fetch, reason };
}

/** Whether a task that is not known was known once, and has left after its retention. */
export const EXPIRIES = ["no", "maybe", "yes"] as const;
export type Expiry = (typeof EXPIRIES)[number];

/** The state of one task, as an answer. */
export type StateAnswer =
  /** Nobody has submitted it yet, or it was known once: which of them is not always known. */
  | { readonly type: "unknown"; readonly id: TaskId; readonly expired: Expiry }
  | { readonly type: "live"; readonly id: TaskId; readonly state: LiveState; readonly attempt: number }
  | { readonly type: "settled"; readonly task: SettledTask };

export function stateAnswerToWire(answer: StateAnswer): unknown[] {
  switch (answer.type) {
    case "unknown":
      return ["unknown", answer.id, answer.expired];
    case "live":
      return ["live", answer.id, answer.state, answer.attempt];
    case "settled":
      return ["settled", written((out) => writeSettled(out, answer.task))];
  }
}

export function readStateAnswer(item: unknown): StateAnswer {
  const wire = list(item, "state");
  const type = oneOf(wire[0], "state type", ["unknown", "live", "settled"]);
  if (type === "settled") {
    const read = readBytes(bytes(wire[1], "settled task"), (from) => readSettled(from, null));
    return read.ok ? { type, task: read.value } : mismatch(read.kind);
  }
  const id = taskId(wire[1]);
  if (type === "unknown") return { type, id, expired: oneOf(wire[2], "expired", EXPIRIES) };
  return { type, id, state: oneOf(wire[2], "state", LIVE_STATES), attempt: count(wire[3], "attempt") };
}
