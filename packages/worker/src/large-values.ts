/** The large values of a worker: those that its tasks are given, and those that they return. */
import { type AttemptRef, NoLeaderError, type Subjects } from "@weft/protocol";
import { type AckError, BlobReader, type BlobSizes, BlobWriter, type Connection } from "@weft/transport";

export type LargeValuesOptions = {
  readonly connection: Connection;
  readonly subjects: Subjects;
  readonly sizes?: BlobSizes | undefined;
  readonly onTrouble: (trouble: AckError | null) => void;
};

/** What was made or read here lately, and is not very large: the next task of a chain often runs on the same worker. */
const KEPT_BYTES_MAX = 64 * 1024 * 1024;
/** So many bytes of results may wait to be stored before no further task begins. */
const CROWDED_ABOVE_BYTES = 256 * 1024 * 1024;

export class LargeValues {
  private readonly reader: BlobReader;
  private readonly writer: BlobWriter;
  /** By reference, the one that was used last at the end. */
  private readonly kept = new Map<string, Uint8Array>();
  private keptBytes = 0;

  constructor({ connection, subjects, sizes, onTrouble }: LargeValuesOptions) {
    this.reader = new BlobReader(connection, subjects);
    this.writer = new BlobWriter({ connection, subjects, sizes, onTrouble });
  }

  /** Whether so much waits to be stored that nothing further should be made. */
  get isCrowded(): boolean {
    return this.writer.pendingBytes > CROWDED_ABOVE_BYTES;
  }

  isLarge(value: Uint8Array): boolean {
    return this.writer.isLarge(value);
  }

  /** The value that is meant, asked for until somebody answers, or nobody wants it any more. */
  async read(reference: Uint8Array, isWanted: () => boolean): Promise<Uint8Array> {
    const key = Buffer.from(reference).toString("base64");
    const kept = this.kept.get(key);
    if (kept !== undefined) {
      this.keep(key, kept);
      // Code may change what it is given.
      return Uint8Array.from(kept);
    }
    for (;;) {
      try {
        const value = await this.reader.read(reference);
        if (value.length <= KEPT_BYTES_MAX / 2) this.keep(key, Uint8Array.from(value));
        return value;
      } catch (error) {
        if (!(error instanceof NoLeaderError) || !isWanted()) throw error;
      }
    }
  }

  /** What travels in a result's place. Rejects only where the worker closes first. */
  async store(value: Uint8Array, { id, attempt }: AttemptRef): Promise<Uint8Array> {
    const reference = await this.writer.store(value, { task: id, attempt });
    if (value.length <= KEPT_BYTES_MAX / 2) this.keep(Buffer.from(reference).toString("base64"), value);
    return reference;
  }

  /** After a reconnect: what was on its way may be lost. */
  resend(): void {
    this.writer.resend();
  }

  close(): void {
    this.writer.close();
  }

  private keep(key: string, value: Uint8Array): void {
    if (!this.kept.delete(key)) this.keptBytes += value.length;
    this.kept.set(key, value);
    for (const [oldest, { length }] of this.kept) {
      if (this.keptBytes <= KEPT_BYTES_MAX) return;
      this.kept.delete(oldest);
      this.keptBytes -= length;
    }
  }
}
