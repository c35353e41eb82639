/**
 * Stores large values beside the log: in chunks, each repeated until it is acknowledged, a few of them on their way.
 *
 * B1 A record refers to a value only after all of its chunks are acknowledged.
 * B2 The first chunk is acknowledged before another is sent: by it the collector finds what was stored in part.
 */
import { createHash } from "node:crypto";
import {
  BLOB_CHUNK_BYTES,
  BlobId,
  type BlobOwner,
  type BlobRef,
  encodeBlobRef,
  INLINE_VALUE_BYTES_MAX,
  type Subjects,
  TooManyPendingError,
  UNSTORED_BYTES_MAX,
} from "@weft/protocol";
import type { AckError } from "./ack.ts";
import { Appender } from "./appender.ts";
import type { Connection } from "./connection.ts";
import type { OutboxItem } from "./outbox.ts";

/** What is large, and into how large chunks it is cut: another size only where a test wants many chunks of little. */
export type BlobSizes = { readonly inlineBytesMax: number; readonly chunkBytes: number };

export type BlobWriterOptions = {
  readonly connection: Connection;
  readonly subjects: Subjects;
  readonly sizes?: BlobSizes | undefined;
  readonly onTrouble?: (trouble: AckError | null) => void;
};

type ChunkItem = OutboxItem & { readonly data: Uint8Array };

/** Chunks of one value that wait for their acknowledgement. */
const WINDOW_MAX = 8;
/** Half of the time after which what no record names is removed. */
const STORE_MAX_MS = 12 * 3_600_000;
const SIZES: BlobSizes = { inlineBytesMax: INLINE_VALUE_BYTES_MAX, chunkBytes: BLOB_CHUNK_BYTES };
/** Nothing: the chunk itself is all that an append holds. */
const NONE = new Uint8Array(0);

export class BlobWriter {
  private readonly options: BlobWriterOptions;
  private readonly sizes: BlobSizes;
  private readonly appender: Appender<string, ChunkItem>;
  private bytes = 0;

  constructor(options: BlobWriterOptions) {
    const { connection, subjects, onTrouble } = options;
    this.options = options;
    this.sizes = options.sizes ?? SIZES;
    this.appender = new Appender<string, ChunkItem>({
      connection,
      stream: subjects.blobStream(0),
      noun: "chunks of large values",
      subject: (subject) => subject,
      // Each chunk has a subject of its own, so a record is one chunk.
      encode: ({ items: [chunk] }) => chunk?.data ?? NONE,
      ...(onTrouble === undefined ? {} : { onTrouble }),
    });
  }

  isLarge(value: Uint8Array): boolean {
    return value.length > this.sizes.inlineBytesMax;
  }

  /** Bytes that are not stored yet. */
  get pendingBytes(): number {
    return this.bytes;
  }

  /** Throws where this value and what is not stored yet are more than a process should hold. */
  admit(value: Uint8Array): void {
    if (this.bytes > 0 && this.bytes + value.length > UNSTORED_BYTES_MAX)
      throw new TooManyPendingError("bytes of large values", UNSTORED_BYTES_MAX);
  }

  /** What travels in the value's place. Rejects only where this writer is closed first. */
  async store(value: Uint8Array, owner: BlobOwner): Promise<Uint8Array> {
    const { clock } = this.options.connection;
    this.bytes += value.length;
    try {
      for (;;) {
        const startedMs = clock.nowMs();
        const ref = await this.write(value, owner);
        // What took so long may soon be taken for what was broken off, for no record names it yet.
        if (clock.nowMs() - startedMs <= STORE_MAX_MS) return encodeBlobRef(ref);
      }
    } finally {
      this.bytes -= value.length;
    }
  }

  /** After a reconnect: what was on its way may be lost. */
  resend(): void {
    this.appender.resend();
  }

  close(): void {
    this.appender.close();
  }

  private async write(value: Uint8Array, owner: BlobOwner): Promise<BlobRef> {
    const { connection, subjects } = this.options;
    const { identity, clock, entropy } = connection;
    const { chunkBytes } = this.sizes;
    const id = BlobId.create(owner, clock.wallMs(), entropy.token);
    const hash = createHash("sha256");
    const flying = new Set<Promise<void>>();
    for (let chunk = 0, from = 0; from < value.length; chunk++, from += chunkBytes) {
      const data = value.subarray(from, from + chunkBytes);
      hash.update(data);
      const stored = this.append(subjects.blobChunk(0, { identity, id }, chunk), data);
      if (chunk === 0) {
        await stored;
        continue;
      }
      const landed = stored.finally(() => flying.delete(landed));
      flying.add(landed);
      if (flying.size >= WINDOW_MAX) await Promise.race(flying);
    }
    await Promise.all(flying);
    return { identity, id, bytes: value.length, chunkBytes, digest: Uint8Array.from(hash.digest()) };
  }

  private append(subject: string, data: Uint8Array): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    this.appender.add(subject, {
      data,
      bytes: data.length,
      acknowledged: () => resolve(),
      abandoned: (error) => reject(error),
    });
    // It is awaited in its turn; until then a failure is nobody's.
    promise.catch(() => undefined);
    return promise;
  }
}
