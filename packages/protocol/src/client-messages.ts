/**
 * From the leader to a client: settled tasks, numbered per (epoch, client). A client that sees a gap, a new epoch or
 * nothing for a while asks for the states of its open handles.
 */
import type { TaskId, TaskName } from "./ids.ts";
import { TaskName as Name } from "./ids.ts";
import { RECORD_ITEMS_MAX } from "./limits.ts";
import {
  LIVE_STATES,
  type LiveState,
  OUTCOMES,
  type Outcome,
  type Reason,
  readReason,
  reasonToWire,
} from "./outcome.ts";
import { packr } from "./packr.ts";
import { taskId } from "./record-codec.ts";
import { WIRE_VERSION } from "./versions.ts";
import { bytesOrNull, count, flag, guarded, list, oneOf, type Read, readWire } from "./wire-reader.ts";
import { checkVersion } from "./worker-messages.ts";

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

export type ClientMessage = {
  readonly epoch: number;
  readonly number: number;
  readonly settled: readonly SettledTask[];
};

export function encodeClientMessage(message: ClientMessage): Uint8Array {
  return packr.pack([WIRE_VERSION, message.epoch, message.number, message.settled.map(settledToWire)]);
}

export function decodeClientMessage(data: Uint8Array): Read<ClientMessage> {
  return readWire(data, (wire) => {
    checkVersion(wire[0]);
    return {
      epoch: count(wire[1], "epoch"),
      number: count(wire[2], "number"),
      settled: list(wire[3], "settled", RECORD_ITEMS_MAX).map(readSettled),
    };
  });
}

export function settledToWire(task: SettledTask): unknown[] {
  const reason = task.reason === null ? null : reasonToWire(task.reason);
  const { id, name, outcome, attempt, progress, value, fetch, tries } = task;
  return [id, name, outcome, attempt, progress, value, fetch, reason, tries];
}

export function readSettled(item: unknown): SettledTask {
  const wire = list(item, "settled task");
  return {
    id: taskId(wire[0]),
    name: guarded<TaskName>(wire[1], "task name", Name.is),
    outcome: oneOf(wire[2], "outcome", OUTCOMES),
    attempt: count(wire[3], "attempt"),
    tries: count(wire[8], "tries"),
    progress: bytesOrNull(wire[4], "progress"),
    value: bytesOrNull(wire[5], "value"),
    fetch: flag(wire[6], "fetch"),
    reason: wire[7] === null ? null : readReason(wire[7]),
  };
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
      return ["settled", settledToWire(answer.task)];
  }
}

export function readStateAnswer(item: unknown): StateAnswer {
  const wire = list(item, "state");
  const type = oneOf(wire[0], "state type", ["unknown", "live", "settled"]);
  if (type === "settled") return { type, task: readSettled(wire[1]) };
  const id = taskId(wire[1]);
  if (type === "unknown") return { type, id, expired: oneOf(wire[2], "expired", EXPIRIES) };
  return { type, id, state: oneOf(wire[2], "state", LIVE_STATES), attempt: count(wire[3], "attempt") };
}
