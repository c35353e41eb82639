/**
 * Where checkpoints are kept: a stream of its own, with three slots that are written in turn, so that the two before the
 * one that is being written stay whole.
 *
 * S1 The last chunk is appended after all others are acknowledged, and names them all by digest: what was written in half,
 *    by two writers at once, or has changed since, is found out and passed over.
 * S2 A slot is written over only if two others are newer, or it holds none that is whole.
 */
import { CheckpointFailedError, type ControlSecret, type Subjects, WeftError } from "@weft/protocol";
import { type Connection, pause, readAck, type Stream } from "@weft/transport";
import {
  type CheckpointManifest,
  chunkDigest,
  decodeManifest,
  encodeManifest,
  logIdOf,
  stateHashOf,
} from "./checkpoint-manifest.ts";

export type CheckpointStoreOptions = {
  readonly connection: Connection;
  readonly subjects: Subjects;
  readonly secret: ControlSecret;
};

/** What is known before it is written. */
export type CheckpointContent = Pick<CheckpointManifest, "point" | "foldVersion" | "format"> & {
  readonly chunks: Iterable<Uint8Array>;
};

/** A checkpoint whose bytes are not those that were written. */
class CheckpointDamagedError extends WeftError {
  constructor(seq: number, what: string) {
    super("weft_checkpoint_damaged", `the checkpoint at record ${seq} is damaged: ${what}`);
  }
}

const SLOTS = 3;
const IN_FLIGHT_MAX = 4;
const READ_AHEAD = 8;
const APPEND_TIMEOUT_MS = 2_000;
const RETRY_MS = 200;
/** Longer than a stream is away while it changes its leader. */
const GIVE_UP_MS = 30_000;

export class CheckpointStore {
  private readonly connection: Connection;
  private readonly subjects: Subjects;
  private readonly stream: Stream;
  private readonly logId: string;

  constructor({ connection, subjects, secret }: CheckpointStoreOptions) {
    this.connection = connection;
    this.subjects = subjects;
    this.stream = connection.stream(subjects.checkpointStream(0));
    this.logId = logIdOf(secret);
  }

  /** Those of this log that have their last chunk, the newest first. Whether the others are whole shows when they are read. */
  async list(): Promise<CheckpointManifest[]> {
    const slots = await Promise.all(Array.from({ length: SLOTS }, (_, slot) => this.manifestIn(slot)));
    const found = slots.filter((each) => each !== null);
    return found.sort((a, b) => b.point.seq - a.point.seq);
  }

  async write(content: CheckpointContent): Promise<CheckpointManifest> {
    const { chunks, ...rest } = content;
    const slot = await this.freeSlot();
    await this.stream.purge({ subject: this.subjects.checkpoint(0, slot) });
    const digests: string[] = [];
    let bytes = 0;
    const flying = new Set<Promise<void>>();
    const failed: unknown[] = [];
    for (const chunk of chunks) {
      const append = this.append(this.subjects.checkpointChunk(0, slot, digests.length), chunk)
        .catch((error: unknown) => void failed.push(error))
        .finally(() => flying.delete(append));
      flying.add(append);
      digests.push(chunkDigest(chunk));
      bytes += chunk.length;
      if (flying.size >= IN_FLIGHT_MAX) await Promise.race(flying);
      if (failed.length > 0) break;
    }
    await Promise.all(flying);
    if (failed.length > 0) throw failed[0];
    const manifest: CheckpointManifest = {
      log: this.logId,
      slot,
      ...rest,
      stateHash: stateHashOf(digests),
      bytes,
      chunks: digests,
    };
    await this.append(this.subjects.checkpointChunk(0, slot, "last"), encodeManifest(manifest));
    return manifest;
  }

  /** The chunks in order, each checked. Throws `CheckpointDamagedError` at the first that is not what it was. */
  async *read({ slot, point, chunks }: CheckpointManifest): AsyncGenerator<Uint8Array> {
    const ahead: ReturnType<Stream["lastMessage"]>[] = [];
    const ask = (chunk: number): void => {
      const answer = this.stream.lastMessage(this.subjects.checkpointChunk(0, slot, chunk));
      // It is awaited in its turn; until then a failure is nobody's.
      answer.catch(() => undefined);
      ahead.push(answer);
    };
    for (let chunk = 0; chunk < Math.min(READ_AHEAD, chunks.length); chunk++) ask(chunk);
    for (const [chunk, digest] of chunks.entries()) {
      const found = await ahead.shift();
      if (chunk + READ_AHEAD < chunks.length) ask(chunk + READ_AHEAD);
      if (found === null || found === undefined)
        throw new CheckpointDamagedError(point.seq, `chunk ${chunk} of ${chunks.length} is missing`);
      if (chunkDigest(found.data) !== digest)
        throw new CheckpointDamagedError(point.seq, `chunk ${chunk} of ${chunks.length} has changed`);
      yield found.data;
    }
  }

  private async manifestIn(slot: number): Promise<CheckpointManifest | null> {
    const found = await this.stream.lastMessage(this.subjects.checkpointChunk(0, slot, "last"));
    const manifest = found === null ? null : decodeManifest(found.data);
    return manifest?.log === this.logId && manifest.slot === slot ? manifest : null;
  }

  /** One without a checkpoint, else the one with the oldest (S2). */
  private async freeSlot(): Promise<number> {
    const taken = await this.list();
    for (let slot = 0; slot < SLOTS; slot++) if (!taken.some((each) => each.slot === slot)) return slot;
    return taken.at(-1)?.slot ?? 0;
  }

  /** Until it is acknowledged: a chunk that is appended twice is there twice, and the last one counts. */
  private async append(subject: string, data: Uint8Array): Promise<void> {
    const { nats, clock } = this.connection;
    const deadlineMs = clock.nowMs() + GIVE_UP_MS;
    for (let refusal = "no answer in time"; ; ) {
      try {
        const reply = await nats.request(subject, data, { timeout: APPEND_TIMEOUT_MS });
        const ack = readAck(reply.data, this.stream.name);
        if (ack.ok) return;
        refusal = ack.error.message;
      } catch (error) {
        if (nats.isClosed()) throw error;
      }
      if (clock.nowMs() > deadlineMs) throw new CheckpointFailedError(refusal);
      await pause(clock, RETRY_MS);
    }
  }
}
