/**
 * Reads large values through the leader: chunk by chunk, a few asked for ahead, a few values at once. What is handed out
 * has the digest that its reference names; anything else is an error.
 */
import { createHash } from "node:crypto";
import {
  BlobId,
  type BlobRef,
  chunkCountOf,
  DefectError,
  decodeBlobRef,
  ResultExpiredError,
  type Subjects,
  ValueDamagedError,
} from "@weft/protocol";
import { type AnswerOf, ask } from "./asker.ts";
import type { Connection } from "./connection.ts";
import { Turns } from "./turns.ts";

const READ_AHEAD = 4;
/** Values that are read at once: what is on its way is bounded by both. */
const VALUES_MAX = 4;
/** The leader reads each chunk from its stream, perhaps behind those of others. */
const ATTEMPT_TIMEOUT_MS = 5_000;
const CHUNK_TIMEOUT_MS = 30_000;

export class BlobReader {
  private readonly connection: Connection;
  private readonly subjects: Subjects;
  private readonly turns = new Turns(VALUES_MAX);

  constructor(connection: Connection, subjects: Subjects) {
    this.connection = connection;
    this.subjects = subjects;
  }

  /**
   * The value that is meant. Throws `ValueDamagedError` where it is not there whole, `ResultExpiredError` where its task is
   * forgotten, `NoLeaderError` where nobody answers.
   */
  async read(reference: Uint8Array): Promise<Uint8Array> {
    const ref = decodeBlobRef(reference);
    if (ref === null) throw new ValueDamagedError("its reference is none");
    return this.turns.take(() => this.readAll(ref));
  }

  private async readAll(ref: BlobRef): Promise<Uint8Array> {
    const value = new Uint8Array(ref.bytes);
    const hash = createHash("sha256");
    const count = chunkCountOf(ref);
    const ahead: Promise<AnswerOf<"chunk">>[] = [];
    for (let next = 0, chunk = 0; chunk < count; chunk++) {
      while (next < Math.min(count, chunk + READ_AHEAD)) ahead.push(this.ask(ref, next++));
      const { data, isExpired } = await (ahead.shift() ?? this.ask(ref, chunk));
      if (data === null) throw missing(ref, chunk, isExpired);
      const from = chunk * ref.chunkBytes;
      if (data.length !== Math.min(ref.chunkBytes, ref.bytes - from))
        throw new ValueDamagedError(`chunk ${chunk} of ${count} has another length than was stored`);
      value.set(data, from);
      hash.update(data);
    }
    if (!hash.digest().equals(ref.digest))
      throw new ValueDamagedError(`its ${ref.bytes} bytes are not those that were stored`);
    return value;
  }

  private ask({ identity, id }: BlobRef, chunk: number): Promise<AnswerOf<"chunk">> {
    const { connection, subjects } = this;
    const options = { timeoutMs: CHUNK_TIMEOUT_MS, attemptTimeoutMs: ATTEMPT_TIMEOUT_MS };
    const answer = ask(connection, subjects, { type: "chunk", identity, id, chunk }, options);
    // It is awaited in its turn; until then a failure is nobody's.
    answer.catch(() => undefined);
    return answer;
  }
}

function missing(ref: BlobRef, chunk: number, isExpired: boolean): Error {
  const owner = BlobId.read(ref.id);
  if (owner === null) return new DefectError(`${ref.id} names no task`);
  return isExpired
    ? new ResultExpiredError(owner.task)
    : new ValueDamagedError(`chunk ${chunk} of ${chunkCountOf(ref)} is missing`);
}
