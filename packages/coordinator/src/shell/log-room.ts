/**
 * Room in the log for the records that lead out of a full one. A coordinator whose record is refused raises the log's limit
 * by a reserve, a few times at most; once the log is purged the limit is lowered again.
 */
import type { Stream, StreamInfo } from "@weft/transport";

/** In the metadata of the log's stream: what its limit was raised from, and to. */
const RAISED_KEY = "weft.logBytesRaised";
const RESERVE_SHARE = 8;
const RAISES_MAX = 4;
/** Lowered when so much of the limit is free again: lowered too early it would be raised at once. */
const LOWERED_BELOW = 0.7;

export class LogRoom {
  private readonly stream: Stream;
  private readonly log: (line: string) => void;
  private raising: Promise<void> | null = null;
  private isAtCap = false;

  constructor(stream: Stream, log: (line: string) => void) {
    this.stream = stream;
    this.log = log;
  }

  /** After a record was refused for lack of space. */
  raise(): Promise<void> {
    this.raising ??= this.raiseOnce().finally(() => {
      this.raising = null;
    });
    return this.raising;
  }

  async lowerIfPurged(info: StreamInfo): Promise<void> {
    const limit = limitOf(info);
    if (info.bytesMax <= limit || info.bytes > limit * LOWERED_BELOW) return;
    await this.stream.configure({ bytesMax: limit });
    this.isAtCap = false;
    this.log(`the log has room again: its limit is ${limit} bytes, as before`);
  }

  private async raiseOnce(): Promise<void> {
    try {
      const info = await this.stream.info();
      const limit = limitOf(info);
      const reserve = Math.ceil(limit / RESERVE_SHARE);
      const raised = Math.min(info.bytesMax + reserve, limit + RAISES_MAX * reserve);
      if (raised <= info.bytesMax) {
        if (!this.isAtCap) this.log(`the log is full at ${info.bytesMax} bytes, and is not raised further`);
        this.isAtCap = true;
        return;
      }
      await this.stream.configure({ bytesMax: raised, metadata: { [RAISED_KEY]: `${limit} ${raised}` } });
      this.log(`the log is full: its limit is ${raised} bytes until it is purged`);
    } catch (error) {
      this.log(`the log is full, and its limit cannot be raised: ${String(error)}`);
    }
  }
}

/**
 * The limit that the log is to have, without what it is raised by for now. A limit that is none that a coordinator has set
 * is an operator's: it counts, and it stays.
 */
export function limitOf({ metadata, bytesMax }: Pick<StreamInfo, "metadata" | "bytesMax">): number {
  const [limit, raised] = (metadata[RAISED_KEY] ?? "").split(" ").map(Number);
  return limit !== undefined && raised === bytesMax ? limit : bytesMax;
}
