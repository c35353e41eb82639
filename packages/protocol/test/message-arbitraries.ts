/** What leader, workers and clients say to each other, each with its codec. */
import {
  type Answer,
  type Ask,
  type Assignment,
  BLOB_CHUNKS_MAX,
  BlobId,
  CHECKPOINT_STATES,
  type CheckpointAnswer,
  type ClientMessage,
  COORDINATOR_STATES,
  type CoordinatorPresence,
  DURATION_MAX_MS,
  decodeAsk,
  decodeCheckpointAnswer,
  decodeCheckpointOffer,
  decodeCheckpointRequest,
  decodeClientMessage,
  decodeCoordinatorPresence,
  decodeHello,
  decodePresence,
  decodeProbeAnswer,
  decodeReply,
  decodeWorkerMessage,
  encodeAsk,
  encodeCheckpointAnswer,
  encodeCheckpointOffer,
  encodeCheckpointRequest,
  encodeClientMessage,
  encodeCoordinatorPresence,
  encodeHello,
  encodePresence,
  encodeProbeAnswer,
  encodeReply,
  encodeWorkerMessage,
  type Hello,
  LIVE_STATES,
  OUTCOMES,
  type Presence,
  type ProbeAnswer,
  type Question,
  type Read,
  type Reply,
  type TaskId,
  WORKER_STATES,
  type WorkerMessage,
} from "@weft/protocol";
import fc from "fast-check";
import {
  attemptRef,
  bytes,
  count,
  few,
  identity,
  orNull,
  sender,
  settledTask,
  stateAnswer,
  taskId,
  taskName,
  text,
  token,
} from "./arbitraries.ts";

const deps: fc.Arbitrary<Assignment["deps"]> = orNull(
  few(fc.tuple(taskId, orNull(bytes))).map((pairs) => ({
    ids: pairs.map(([id]): TaskId => id),
    values: pairs.map(([, value]) => value),
  })),
);

const workerMessage: fc.Arbitrary<WorkerMessage> = fc.record({
  epoch: count,
  number: count,
  assignments: few(
    fc.record({
      id: taskId,
      attempt: count,
      name: taskName,
      owner: identity,
      args: bytes,
      deps,
      traceparent: orNull(token),
      timeoutMs: orNull(fc.nat({ max: DURATION_MAX_MS })),
    }),
  ),
  cancels: few(fc.record({ id: taskId, attempt: count, reason: orNull(text) })),
  aborts: few(attemptRef),
});

const presence: fc.Arbitrary<Presence> = fc.record({
  state: fc.constantFrom(...WORKER_STATES),
  slots: fc.nat({ max: 20_000 }),
  credits: fc.nat({ max: 20_000 }),
  names: few(taskName),
  labels: few(token),
  host: text,
  pid: count,
  startedAtMs: count,
  held: few(attemptRef),
  running: count,
  graceMs: count,
  epoch: count,
  seen: count,
  appendedSeq: count,
});

const coordinator: fc.Arbitrary<CoordinatorPresence> = fc.record({
  state: fc.constantFrom(...COORDINATOR_STATES),
  epoch: count,
  foldVersion: count,
  foldedSeq: count,
  host: text,
  pid: count,
  startedAtMs: count,
});

const blobId: fc.Arbitrary<BlobId> = fc
  .record({ task: taskId, attempt: orNull(fc.nat()), wallMs: fc.nat({ max: 4_000_000_000_000 }) })
  .map(({ wallMs, ...owner }) => BlobId.create(owner, wallMs, (length) => "x".repeat(length)));

const question: fc.Arbitrary<Question> = fc.oneof(
  fc.record({ type: fc.constant("states" as const), ids: few(taskId), watch: fc.boolean() }),
  fc.record({ type: fc.constant("values" as const), ids: few(taskId) }),
  fc.record({
    type: fc.constant("chunk" as const),
    identity,
    id: blobId,
    chunk: fc.nat({ max: BLOB_CHUNKS_MAX }),
  }),
  fc.record({ type: fc.constantFrom("show" as const, "explain" as const), id: taskId }),
  fc.record({
    type: fc.constant("list" as const),
    filter: fc.record({
      states: few(fc.constantFrom(...LIVE_STATES, ...OUTCOMES)),
      name: orNull(taskName),
      limit: fc.nat({ max: 1_000 }),
    }),
  }),
  fc.constantFrom({ type: "workers" } as const, { type: "info" } as const),
);

const answer: fc.Arbitrary<Answer> = fc.oneof(
  fc.record({ type: fc.constant("states" as const), states: few(stateAnswer) }),
  fc.record({ type: fc.constant("values" as const), values: few(orNull(bytes)) }),
  fc.record({
    type: fc.constant("chunk" as const),
    data: orNull(bytes),
    isExpired: fc.boolean(),
  }),
  fc.record({
    type: fc.constant("report" as const),
    report: fc.dictionary(token, fc.oneof(count, text, fc.boolean())),
  }),
  fc.record({ type: fc.constant("expired" as const), id: taskId }),
  fc.record({ type: fc.constant("refused" as const), message: text }),
);

const ask: fc.Arbitrary<Ask> = fc.record({ afterSeq: count, question });
const reply: fc.Arbitrary<Reply> = fc.record({ epoch: count, foldedSeq: count, answer });
const hello: fc.Arbitrary<Hello> = fc.record({
  partition: count,
  epoch: count,
  leader: sender,
  hold: fc.boolean(),
});
const probeAnswer: fc.Arbitrary<ProbeAnswer> = fc.record({
  blockedMs: count,
  begun: orNull(few(attemptRef)),
});
const clientMessage: fc.Arbitrary<ClientMessage> = fc.record({
  epoch: count,
  number: count,
  settled: few(settledTask),
});

const checkpointAnswer: fc.Arbitrary<CheckpointAnswer> = fc.record({
  state: fc.constantFrom(...CHECKPOINT_STATES),
  message: text,
});

type Codec = {
  readonly name: string;
  /** A message, and its bytes. */
  readonly sample: fc.Arbitrary<{ readonly message: unknown; readonly wire: Uint8Array }>;
  readonly decode: (wire: Uint8Array) => Read<unknown>;
};

function codec<T>(
  name: string,
  message: fc.Arbitrary<T>,
  encode: (message: T) => Uint8Array,
  decode: (wire: Uint8Array) => Read<T>,
): Codec {
  return { name, sample: message.map((each) => ({ message: each, wire: encode(each) })), decode };
}

export const CODECS: readonly Codec[] = [
  codec("worker message", workerMessage, encodeWorkerMessage, decodeWorkerMessage),
  codec("client message", clientMessage, encodeClientMessage, decodeClientMessage),
  codec("presence", presence, encodePresence, decodePresence),
  codec("coordinator", coordinator, encodeCoordinatorPresence, decodeCoordinatorPresence),
  codec("hello", hello, encodeHello, decodeHello),
  codec("probe answer", probeAnswer, encodeProbeAnswer, decodeProbeAnswer),
  codec("checkpoint request", fc.record({ seq: count }), encodeCheckpointRequest, decodeCheckpointRequest),
  codec("checkpoint offer", fc.record({ standby: sender }), encodeCheckpointOffer, decodeCheckpointOffer),
  codec("checkpoint answer", checkpointAnswer, encodeCheckpointAnswer, decodeCheckpointAnswer),
  codec("question", ask, encodeAsk, decodeAsk),
  codec("reply", reply, encodeReply, decodeReply),
];
