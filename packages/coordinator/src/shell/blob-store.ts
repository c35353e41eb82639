/**
 * Chunks of large values, for those who have no access to the stream: read when they are asked for, a few at once, and kept
 * by nobody here.
 */
import type { BlobRef, Subjects } from "@weft/protocol";
import { type Connection, type Stream, Turns } from "@weft/transport";

type BlobKey = Pick<BlobRef, "identity" | "id">;

const READS_MAX = 8;
/** Askers that wait longer than they want to ask again. */
const WAITING_MAX = 512;

export class BlobStore {
  private readonly subjects: Subjects;
  private readonly stream: Stream;
  private readonly reading = new Map<string, Promise<Uint8Array | null>>();
  private readonly turns = new Turns(READS_MAX);

  constructor(connection: Connection, subjects: Subjects) {
    this.subjects = subjects;
    this.stream = connection.stream(subjects.blobStream(0));
  }

  /** Null where it is not there. */
  chunk(key: BlobKey, chunk: number): Promise<Uint8Array | null> {
    const subject = this.subjects.blobChunk(0, key, chunk);
    let reading = this.reading.get(subject);
    if (reading === undefined) {
      reading = this.read(subject).finally(() => this.reading.delete(subject));
      this.reading.set(subject, reading);
    }
    return reading;
  }

  private async read(subject: string): Promise<Uint8Array | null> {
    if (this.turns.waiting >= WAITING_MAX)
      throw new Error("too many chunks of large values are asked for at once");
    return this.turns.take(async () => (await this.stream.lastMessage(subject))?.data ?? null);
  }
}
