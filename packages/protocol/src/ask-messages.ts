/**
 * Questions to the leader (`…ask.<partition>.<sender>`) and its answers. A question names the highest sequence that the
 * asker has seen: only a leader that has folded that far answers. An answer that does not fit in one message covers the
 * first ids only, and the asker asks again for the rest.
 */

import { BlobId } from "./blob-ref.ts";
import { readStateAnswer, type StateAnswer, stateAnswerToWire } from "./client-messages.ts";
import { assertNever } from "./errors.ts";
import { type Identity, isToken, type TaskId } from "./ids.ts";
import { ASK_IDS_MAX, BLOB_CHUNKS_MAX, LIST_ROWS_MAX, TOKEN_LENGTH_MAX } from "./limits.ts";
import { LIVE_STATES, OUTCOMES, type TaskState } from "./outcome.ts";
import { packr } from "./packr.ts";
import { taskId } from "./record-codec.ts";
import { WIRE_VERSION } from "./versions.ts";
import {
  bytesOrNull,
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

export type ListFilter = {
  readonly states: readonly TaskState[];
  readonly name: string | null;
  readonly limit: number;
};

export type Question =
  /** States of tasks; `watch` asks to be told when those still live settle. */
  | { readonly type: "states"; readonly ids: readonly TaskId[]; readonly watch: boolean }
  /** Values of succeeded tasks, for a worker that pages its dependencies and a client whose result was too large to push. */
  | { readonly type: "values"; readonly ids: readonly TaskId[] }
  /** One chunk of a large value. */
  | { readonly type: "chunk"; readonly identity: Identity; readonly id: BlobId; readonly chunk: number }
  /** The rest are for people: answered as plain data (see `reports.ts`). */
  | { readonly type: "show"; readonly id: TaskId }
  | { readonly type: "explain"; readonly id: TaskId }
  | { readonly type: "list"; readonly filter: ListFilter }
  | { readonly type: "workers" }
  | { readonly type: "info" };

export type Ask = { readonly afterSeq: number; readonly question: Question };

export type Answer =
  | { readonly type: "states"; readonly states: readonly StateAnswer[] }
  | { readonly type: "values"; readonly values: readonly (Uint8Array | null)[] }
  /** Null where it is not there; then `isExpired` says that its task is not known any more either. */
  | { readonly type: "chunk"; readonly data: Uint8Array | null; readonly isExpired: boolean }
  | { readonly type: "report"; readonly report: unknown }
  /** The task was known once. */
  | { readonly type: "expired"; readonly id: TaskId }
  | { readonly type: "refused"; readonly message: string };

export type Reply = { readonly epoch: number; readonly foldedSeq: number; readonly answer: Answer };

const STATES = [...LIVE_STATES, ...OUTCOMES] as const;

export function encodeAsk(ask: Ask): Uint8Array {
  const { type, ...rest } = ask.question;
  return packr.pack([WIRE_VERSION, ask.afterSeq, type, rest]);
}

export function decodeAsk(data: Uint8Array): Read<Ask> {
  return readWire(data, (wire) => {
    checkVersion(wire[0]);
    return {
      afterSeq: count(wire[1], "after"),
      question: readQuestion(wire[2], fields(wire[3], "question")),
    };
  });
}

function readQuestion(kind: unknown, f: Record<string, unknown>): Question {
  const type = oneOf(kind, "question", [
    "states",
    "values",
    "chunk",
    "show",
    "explain",
    "list",
    "workers",
    "info",
  ]);
  switch (type) {
    case "states":
      return { type, ids: readIds(f.ids), watch: flag(f.watch, "watch") };
    case "values":
      return { type, ids: readIds(f.ids) };
    case "chunk":
      return {
        type,
        identity: guarded<Identity>(f.identity, "identity", isToken),
        id: guarded<BlobId>(f.id, "id", BlobId.is),
        chunk: count(f.chunk, "chunk", BLOB_CHUNKS_MAX),
      };
    case "show":
    case "explain":
      return { type, id: taskId(f.id) };
    case "list":
      return { type, filter: readFilter(fields(f.filter, "filter")) };
    case "workers":
    case "info":
      return { type };
    default:
      return assertNever(type);
  }
}

function readIds(value: unknown): TaskId[] {
  return list(value, "ids", ASK_IDS_MAX).map(taskId);
}

function readFilter(f: Record<string, unknown>): ListFilter {
  return {
    states: list(f.states, "states", STATES.length).map((s) => oneOf(s, "state", STATES)),
    name: f.name === null ? null : text(f.name, "name", TOKEN_LENGTH_MAX),
    limit: count(f.limit, "limit", LIST_ROWS_MAX),
  };
}

export function encodeReply(reply: Reply): Uint8Array {
  return packr.pack([
    WIRE_VERSION,
    reply.epoch,
    reply.foldedSeq,
    reply.answer.type,
    answerBody(reply.answer),
  ]);
}

function answerBody(answer: Answer): unknown {
  switch (answer.type) {
    case "states":
      return answer.states.map(stateAnswerToWire);
    case "values":
      return answer.values;
    case "chunk":
      return [answer.data, answer.isExpired];
    case "report":
      return answer.report;
    case "expired":
      return answer.id;
    case "refused":
      return answer.message;
    default:
      return assertNever(answer);
  }
}

export function decodeReply(data: Uint8Array): Read<Reply> {
  return readWire(data, (wire) => {
    checkVersion(wire[0]);
    return {
      epoch: count(wire[1], "epoch"),
      foldedSeq: count(wire[2], "folded"),
      answer: readAnswer(wire[3], wire[4]),
    };
  });
}

function readAnswer(kind: unknown, value: unknown): Answer {
  const type = oneOf(kind, "answer", ["states", "values", "chunk", "report", "expired", "refused"]);
  switch (type) {
    case "states":
      return { type, states: list(value, "states", ASK_IDS_MAX).map(readStateAnswer) };
    case "values":
      return { type, values: list(value, "values", ASK_IDS_MAX).map((v) => bytesOrNull(v, "value")) };
    case "chunk": {
      const wire = list(value, "chunk");
      return { type, data: bytesOrNull(wire[0], "data"), isExpired: flag(wire[1], "expired") };
    }
    case "report":
      return { type, report: value };
    case "expired":
      return { type, id: taskId(value) };
    case "refused":
      return { type, message: text(value, "message", 2_000) };
    default:
      return mismatch("answer is unknown");
  }
}
