/** Values by position: the log is the result store, with caches of the newest records' values in front. */
import { DefectError, decodeRecord, type LogRecord, type Subjects } from "@weft/protocol";
import { type Connection, pause, type Stream, Turns } from "@weft/transport";
import type { Effect, Position } from "../core/ledger/index.ts";
import { PackedValues } from "./packed-values.ts";
import { RecordCache, type RecordCacheBounds } from "./record-cache.ts";

const MIB = 1024 * 1024;
/** Until their tasks have settled. */
const ARGUMENTS: RecordCacheBounds = { bytesMax: 128 * MIB, recordsMax: Number.POSITIVE_INFINITY };
/** Whoever waits for a result asks for it soon: of most it is never asked again, and nothing tells which these are. */
const RESULTS: RecordCacheBounds = { bytesMax: 32 * MIB, recordsMax: 8_192 };
const LOADS_MAX = 16;
const READ_TIMEOUT_MS = 30_000;
const READ_RETRY_MS = 200;

/** A record that was to be read is not there any more. A fold that is behind may ask for what has been purged since. */
export class RecordPurgedError extends DefectError {
  readonly seq: number;
  constructor(seq: number) {
    super(`record ${seq} of the log is needed and is not there any more`);
    this.seq = seq;
  }
}

export class ValueStore {
  private readonly connection: Connection;
  private readonly subjects: Subjects;
  private readonly stream: Stream;
  private readonly args = new RecordCache(ARGUMENTS);
  private readonly results = new RecordCache(RESULTS);
  private readonly loading = new Map<number, Promise<PackedValues>>();
  private readonly turns = new Turns(LOADS_MAX);

  constructor(connection: Connection, subjects: Subjects) {
    this.connection = connection;
    this.subjects = subjects;
    this.stream = connection.stream(subjects.stream(0));
  }

  /** Keeps the values of a record that was just folded, and no arguments of tasks that settled by it. */
  folded(seq: number, record: LogRecord, effects: readonly Effect[]): void {
    const values = valuesOf(record);
    if (values.length > 0) this.remember(seq, record, new PackedValues(values));
    for (const effect of effects) if (effect.type === "settled") this.args.release(effect.task.submitted.seq);
  }

  private remember(seq: number, record: LogRecord, values: PackedValues): void {
    if (record.type === "submit") this.args.keep(seq, values, values.length);
    else this.results.keep(seq, values);
  }

  /** The value, null where the record has none there, undefined where it must be loaded. */
  peek(position: Position): Uint8Array | null | undefined {
    const value = this.args.peek(position);
    return value === undefined ? this.results.peek(position) : value;
  }

  async load(position: Position): Promise<Uint8Array | null> {
    const cached = this.peek(position);
    if (cached !== undefined) return cached;
    let loading = this.loading.get(position.seq);
    if (loading === undefined) {
      loading = this.read(position.seq).finally(() => this.loading.delete(position.seq));
      this.loading.set(position.seq, loading);
    }
    return (await loading).at(position.index);
  }

  /** As `load`, of a value that may be carried to another place meanwhile, and be purged from the one that it had. */
  async loadMoving(where: () => Position | null): Promise<Uint8Array | null> {
    for (let position = where(); position !== null; ) {
      try {
        return await this.load(position);
      } catch (error) {
        const now = where();
        if (!(error instanceof RecordPurgedError) || now?.seq === position.seq) throw error;
        position = now;
      }
    }
    return null;
  }

  /** The whole record at a sequence; null where it is purged. A stream that has no leader for now is asked again for a while. */
  async record(seq: number): Promise<LogRecord | null> {
    const { nats, clock } = this.connection;
    const deadlineMs = clock.nowMs() + READ_TIMEOUT_MS;
    for (;;) {
      try {
        return await this.readRecord(seq);
      } catch (error) {
        if (error instanceof DefectError || nats.isClosed() || clock.nowMs() > deadlineMs) throw error;
        await pause(clock, READ_RETRY_MS);
      }
    }
  }

  private async readRecord(seq: number): Promise<LogRecord | null> {
    const message = await this.stream.message(seq);
    if (message === null) return null;
    const subject = this.subjects.parseLog(0, message.subject);
    if (subject === null) throw new DefectError(`record ${seq} of the log cannot be read`);
    const read = decodeRecord(subject.kind, message.data);
    if (!read.ok) throw new DefectError(`record ${seq} of the log is needed and is void: ${read.kind}`);
    return read.value;
  }

  private async read(seq: number): Promise<PackedValues> {
    const record = await this.turns.take(() => this.record(seq));
    if (record === null) throw new RecordPurgedError(seq);
    const values = new PackedValues(valuesOf(record));
    this.remember(seq, record, values);
    return values;
  }
}

function valuesOf(record: LogRecord): readonly (Uint8Array | null)[] {
  if (record.type === "submit") return record.tasks.map((task) => task.args);
  if (record.type === "finish") return record.finishes.map((finish) => finish.value);
  if (record.type === "control" && record.event.type === "carry")
    return record.event.carried.map(({ value }) => value);
  return [];
}
