/**
 * What a leader does to keep the log short: it has checkpoints written, by a standby where there is one, else of its
 * own fold, purges what no fold and nobody else needs any more, and carries what is needed out of the way of that.
 */
import {
  type Carried,
  decodeCheckpointAnswer,
  decodeCheckpointOffer,
  encodeCheckpointRequest,
  type Sender,
  type Subjects,
} from "@weft/protocol";
import { type Connection, pause, type Stream, type StreamInfo, type Timer } from "@weft/transport";
import { type Ledger, oldestNeededSeq } from "../core/ledger/index.ts";
import { Carrier } from "./carrier.ts";
import type { CheckpointManifest } from "./checkpoint-manifest.ts";
import type { CheckpointStore } from "./checkpoint-store.ts";
import type { Checkpointer } from "./checkpointer.ts";
import { type LogRoom, limitOf } from "./log-room.ts";
import {
  carryFacts,
  firstKept,
  isCheckpointDue,
  isLookDue,
  isPressed,
  isTight,
  NOTHING_NEEDED,
  type SinceLook,
  type UpkeepSettings,
} from "./log-upkeep.ts";
import type { NamespaceConfig } from "./namespace.ts";
import type { ValueStore } from "./value-store.ts";

export type LogKeeperOptions = {
  readonly connection: Connection;
  readonly config: NamespaceConfig;
  readonly subjects: Subjects;
  readonly ledger: Ledger;
  readonly settings: UpkeepSettings;
  readonly room: LogRoom;
  readonly values: Pick<ValueStore, "record">;
  /** Writes values to a record of the leader's. */
  readonly carry: (carried: readonly Carried[]) => Promise<void>;
  /** The log is nearly full; told again as long as it is. */
  readonly onTight: () => void;
  /** What the log may hold, as it is set now. */
  readonly onLimit: (bytesMax: number) => void;
  readonly checkpointer: Pick<Checkpointer, "write">;
  /** Where it writes to. */
  readonly store: Pick<CheckpointStore, "list">;
  readonly log: (line: string) => void;
};

const LOOK_MS = 2_000;
/** How often a log is looked at that fills up. */
const WATCH_MS = 200;
const OFFER_MS = 300;
const ASK_TIMEOUT_MS = 2_000;
const ASK_AGAIN_MS = 1_000;
/** A standby that does not answer so often in a row is gone. */
const UNANSWERED_MAX = 5;
/** After a checkpoint that failed. */
const FAILURE_WAIT_MS = 10_000;

export class LogKeeper {
  private readonly options: LogKeeperOptions;
  private readonly stream: Stream;
  private readonly carrier: Carrier;
  private readonly beat: Timer;
  /** While the log fills up. */
  private soon: Timer | null = null;
  private looking = false;
  /** When this leader first saw a checkpoint, by the record where it stands. */
  private readonly seenAtMs = new Map<number, number>();
  private readonly beganAtMs: number;
  private notBeforeMs = 0;
  private readonly periodMs: number;
  private lookedAtMs: number;
  private lookedAtSeq: number;
  private isPressed = false;
  private writing = false;
  private closed = false;
  private trouble = "";

  constructor(options: LogKeeperOptions) {
    const { connection, config } = options;
    this.options = options;
    this.stream = connection.stream(config.stream);
    this.carrier = new Carrier({
      clock: connection.clock,
      ledger: options.ledger,
      values: options.values,
      append: options.carry,
    });
    this.beganAtMs = connection.clock.nowMs();
    this.lookedAtMs = this.beganAtMs;
    this.lookedAtSeq = options.ledger.seq;
    const { checkpointAgeMaxMs, purgeAgeMinMs } = options.settings;
    this.periodMs = Math.min(LOOK_MS, checkpointAgeMaxMs, purgeAgeMinMs || LOOK_MS);
    this.beat = connection.clock.every(this.periodMs, () => {
      if (isLookDue(this.sinceLook(), this.periodMs)) this.look();
    });
  }

  close(): void {
    this.closed = true;
    this.beat.cancel();
    this.soon?.cancel();
  }

  private look(): void {
    if (this.looking) return;
    this.looking = true;
    this.soon?.cancel();
    this.lookedAtMs = this.options.connection.clock.nowMs();
    this.lookedAtSeq = this.options.ledger.seq;
    this.upkeep()
      .catch((error: unknown) => this.tellTrouble(`the log is not kept short: ${String(error)}`))
      .finally(() => {
        this.looking = false;
        if (this.isPressed && !this.closed)
          this.soon = this.options.connection.clock.after(WATCH_MS, () => this.look());
      });
  }

  private sinceLook(): SinceLook {
    const { connection, ledger } = this.options;
    const ms = connection.clock.nowMs() - this.lookedAtMs;
    return { ms, records: ledger.seq - this.lookedAtSeq, isPressed: this.isPressed };
  }

  private async upkeep(): Promise<void> {
    const info = await this.stream.info();
    if (this.closed) return;
    const limit = limitOf(info);
    this.options.onLimit(limit);
    this.isPressed = isPressed(info.bytes, limit);
    if (isTight(info.bytes, limit)) this.options.onTight();
    await this.options.room.lowerIfPurged(info);
    const checkpoints = await this.options.store.list();
    const nowMs = this.options.connection.clock.nowMs();
    const seqs = new Set(checkpoints.map(({ point }) => point.seq));
    for (const seq of this.seenAtMs.keys()) if (!seqs.has(seq)) this.seenAtMs.delete(seq);
    for (const seq of seqs) if (!this.seenAtMs.has(seq)) this.seenAtMs.set(seq, nowMs);
    if (this.closed) return;
    this.writeIfDue(info, checkpoints, nowMs);
    await this.purge(info, checkpoints, nowMs);
  }

  private ageMs(checkpoint: CheckpointManifest | undefined, nowMs: number): number {
    const seenAtMs = checkpoint === undefined ? undefined : this.seenAtMs.get(checkpoint.point.seq);
    return nowMs - (seenAtMs ?? this.beganAtMs);
  }

  private writeIfDue(info: StreamInfo, [newest]: readonly CheckpointManifest[], nowMs: number): void {
    const { ledger, settings } = this.options;
    if (this.writing || nowMs < this.notBeforeMs) return;
    const checkpointSeq = newest?.point.seq ?? 0;
    const records = info.lastSeq - info.firstSeq + 1;
    const share = records > 0 ? (ledger.seq - Math.max(checkpointSeq, info.firstSeq - 1)) / records : 0;
    const size = {
      checkpointSeq,
      checkpointBytes: newest?.bytes ?? 0,
      checkpointAgeMs: this.ageMs(newest, nowMs),
      foldedSeq: ledger.seq,
      bytesBehind: info.bytes * Math.min(1, share),
      bytesMax: limitOf(info),
    };
    if (!isCheckpointDue(size, settings)) return;
    this.writing = true;
    this.write(ledger.seq)
      .catch((error: unknown) => {
        this.notBeforeMs = nowMs + FAILURE_WAIT_MS;
        this.tellTrouble(error instanceof Error ? error.message : String(error));
      })
      .finally(() => {
        this.writing = false;
      });
  }

  private async write(seq: number): Promise<void> {
    const standby = await this.findStandby(seq);
    if (standby !== null && (await this.writtenBy(standby, seq))) return;
    if (this.closed) return;
    await this.options.checkpointer.write(seq);
    this.options.log(`a checkpoint with record ${seq} is written`);
  }

  /** The first that offers it; null where none stands by. */
  private async findStandby(seq: number): Promise<Sender | null> {
    const { connection, subjects } = this.options;
    try {
      const subject = subjects.checkpointOffer(0, connection.sender);
      const request = encodeCheckpointRequest({ seq });
      const answer = await connection.nats.request(subject, request, { timeout: OFFER_MS });
      const offer = decodeCheckpointOffer(answer.data);
      return offer.ok ? offer.value.standby : null;
    } catch {
      return null;
    }
  }

  /** Whether the standby has written it. One that dies, or that fails, is not the last hope. */
  private async writtenBy(standby: Sender, seq: number): Promise<boolean> {
    const { connection, subjects } = this.options;
    const subject = subjects.checkpointRequest(0, standby, connection.sender);
    const request = encodeCheckpointRequest({ seq });
    for (let unanswered = 0; unanswered < UNANSWERED_MAX && !this.closed; ) {
      try {
        const reply = await connection.nats.request(subject, request, { timeout: ASK_TIMEOUT_MS });
        const answer = decodeCheckpointAnswer(reply.data);
        unanswered = answer.ok ? 0 : unanswered + 1;
        if (answer.ok && answer.value.state === "done") return true;
        if (answer.ok && answer.value.state === "failed") {
          this.tellTrouble(`${standby} has not written a checkpoint: ${answer.value.message}`);
          return false;
        }
      } catch {
        unanswered++;
      }
      await pause(connection.clock, ASK_AGAIN_MS);
    }
    return false;
  }

  private async purge(
    info: StreamInfo,
    checkpoints: readonly CheckpointManifest[],
    nowMs: number,
  ): Promise<void> {
    const { ledger, settings, log } = this.options;
    const facts = {
      checkpoints: checkpoints.map((each) => ({ seq: each.point.seq, ageMs: this.ageMs(each, nowMs) })),
      oldestNeededSeq: oldestNeededSeq(ledger),
      oldestFreshSeq: this.carrier.oldestFreshSeq(settings.purgeAgeMinMs),
      lastControlSeq: ledger.lastControlSeq,
      isPressed: this.isPressed,
    };
    const first = firstKept(facts, settings);
    if (this.closed) return;
    if (first > info.firstSeq) {
      await this.stream.purge({ belowSeq: first });
      log(`the log is purged below record ${first}: ${first - info.firstSeq} records`);
    }
    const purgeableSeq = firstKept({ ...facts, ...NOTHING_NEEDED }, settings);
    if (facts.oldestNeededSeq < purgeableSeq) await this.carry(info, purgeableSeq);
  }

  /** What is still needed goes to the log's end where that is worth it, so that the next purge goes further. */
  private async carry(info: StreamInfo, purgeableSeq: number): Promise<void> {
    const { settings, log } = this.options;
    const carried = await this.carrier.carry(
      carryFacts({ ...info, bytesMax: limitOf(info) }, purgeableSeq, settings),
    );
    if (carried > 0) log(`${carried} values that are needed are carried to the end of the log`);
  }

  /** Once for each kind of trouble in a row. */
  private tellTrouble(trouble: string): void {
    if (trouble === this.trouble || this.closed) return;
    this.trouble = trouble;
    this.options.log(trouble);
  }
}
