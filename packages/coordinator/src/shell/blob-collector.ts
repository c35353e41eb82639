/**
 * Removes large values that no task needs any more, while this coordinator leads.
 *
 * C1 Whether a value is needed is seen by its id, which names its task: an argument until that has settled, the result of
 *    the attempt that settled it for as long as the task is known. So the ledger decides, and nothing else is kept.
 * C2 Nothing is removed that is younger than a day: the record that names it may be on its way.
 */
import { BlobId, type BlobOwner, type Subjects } from "@weft/protocol";
import type { Connection, Stream, Timer } from "@weft/transport";
import { isFreed, type Ledger } from "../core/ledger/index.ts";

export type CollectorSettings = {
  /** How old a value must be. */
  readonly ageMinMs: number;
  /** How often they are looked at. */
  readonly everyMs: number;
};

export type BlobCollectorOptions = {
  readonly connection: Connection;
  readonly subjects: Subjects;
  readonly ledger: Pick<Ledger, "live" | "settled">;
  readonly settings: CollectorSettings;
  readonly log: (line: string) => void;
};

export class BlobCollector {
  private readonly options: BlobCollectorOptions;
  private readonly stream: Stream;
  private readonly timer: Timer;
  private sweeping = false;
  private closed = false;
  private trouble = "";

  constructor(options: BlobCollectorOptions) {
    const { connection, subjects, settings } = options;
    this.options = options;
    this.stream = connection.stream(subjects.blobStream(0));
    this.timer = connection.clock.every(settings.everyMs, () => this.begin());
  }

  close(): void {
    this.closed = true;
    this.timer.cancel();
  }

  private begin(): void {
    if (this.sweeping) return;
    this.sweeping = true;
    this.sweep()
      .catch((error: unknown) => this.tellTrouble(String(error)))
      .finally(() => {
        this.sweeping = false;
      });
  }

  private async sweep(): Promise<void> {
    const { subjects, ledger, log } = this.options;
    let removed = 0;
    for (const subject of await this.stream.subjects(subjects.blobFirstChunks(0))) {
      const key = subjects.parseBlobChunk(0, subject);
      const owner = key === null ? null : BlobId.read(key.id);
      if (key === null || owner === null || isNeeded(owner, ledger)) continue;
      if (!(await this.isOld(subject, owner.hourMs))) continue;
      // What has come to be needed meanwhile is not asked again: it was not for a day.
      if (this.closed) return;
      await this.stream.purge({ subject: subjects.blob(0, key) });
      removed++;
    }
    this.trouble = "";
    if (removed > 0) log(`${removed} large values that no task needs are removed`);
  }

  /** By the hour in its id, which its maker's clock said, and then by the stream's own stamp. */
  private async isOld(firstChunk: string, hourMs: number): Promise<boolean> {
    const { connection, settings } = this.options;
    const nowMs = connection.clock.wallMs();
    if (nowMs - hourMs < settings.ageMinMs) return false;
    const found = await this.stream.lastMessage(firstChunk);
    return found !== null && nowMs - found.stampMs >= settings.ageMinMs;
  }

  /** Once for each kind of trouble in a row. */
  private tellTrouble(trouble: string): void {
    if (trouble === this.trouble || this.closed) return;
    this.trouble = trouble;
    this.options.log(`large values are not collected: ${trouble}`);
  }
}

/** A result of an attempt that is not known yet is on its way. */
export function isNeeded(
  { task, attempt }: BlobOwner,
  { live, settled }: Pick<Ledger, "live" | "settled">,
): boolean {
  const alive = live.get(task);
  if (alive !== undefined) return attempt === null || attempt >= alive.attempt;
  const ended = settled.get(task);
  return ended?.outcome === "succeeded" && !isFreed(ended) && attempt === ended.attempt;
}
