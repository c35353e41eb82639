/**
 * Folds the log beside the cluster, record by record as the server stores them, and holds every state to the
 * invariants. What a coordinator believes is compared with it.
 */
import {
  type AttemptRef,
  type Carried,
  type ControlSecret,
  decodeRecord,
  type FinishRecord,
  type LogRecord,
  type Outcome,
  type Subjects,
  type TaskId,
} from "@weft/protocol";
import type { StoredMessage } from "@weft/transport";
import { type Effect, Ledger } from "../../packages/coordinator/src/core/ledger/index.ts";
import { checkInvariants } from "../../packages/coordinator/src/core/ledger/invariants.ts";
import { RetentionAudit } from "./retention-audit.ts";

export type AuditorOptions = {
  readonly subjects: Subjects;
  readonly secret: ControlSecret;
  /** The oldest record that the log still has. */
  readonly firstSeq: () => number;
  /** An invariant does not hold. */
  readonly onWrong: (what: string, task: TaskId | null) => void;
  /** A result went, because its client is to have it. */
  readonly onFreed: (task: TaskId) => void;
};

/** What one record did to one task, for the story of that task. */
export type Chapter = { readonly seq: number; readonly record: string; readonly effects: readonly string[] };

/** Every state is checked where a log is short; of a long one, every so many records. */
const CHECK_EACH_BELOW = 2_000;
const CHECK_EVERY = 50;
const NO_BYTES = new Uint8Array(0);

export class Auditor {
  private readonly options: AuditorOptions;
  private readonly records: StoredMessage[] = [];
  private readonly outcomes = new Map<TaskId, Outcome>();
  private readonly chapters = new Map<TaskId, Chapter[]>();
  /** Submitted, and refused because their ids seem old: clocks are wrong. */
  private readonly refused = new Set<TaskId>();
  /** Their results went when their clients had them. */
  private readonly freed = new Set<TaskId>();
  private retention: RetentionAudit;
  ledger: Ledger;
  /** Values that were carried to the end of the log. */
  carriedCount = 0;

  constructor(options: AuditorOptions) {
    this.options = options;
    this.retention = new RetentionAudit(options.onWrong);
    this.ledger = this.newLedger();
  }

  stored(message: StoredMessage): void {
    this.records.push(message);
    this.fold(message);
    const { seq } = message;
    if (seq > CHECK_EACH_BELOW && seq % CHECK_EVERY !== 0) return;
    for (const wrong of checkInvariants(this.ledger)) this.options.onWrong(wrong, null);
    this.retention.purged(this.ledger, this.options.firstSeq());
  }

  /** The log lost its end: what was in it has not happened. */
  truncated(lastSeq: number): void {
    const kept = this.records.filter(({ seq }) => seq <= lastSeq);
    this.records.length = 0;
    this.outcomes.clear();
    this.refused.clear();
    this.freed.clear();
    this.retention = new RetentionAudit(this.options.onWrong);
    this.ledger = this.newLedger();
    for (const message of kept) {
      this.records.push(message);
      this.fold(message);
    }
  }

  has(id: TaskId): boolean {
    return this.ledger.live.has(id) || this.ledger.settled.has(id) || this.hasLeft(id);
  }

  /** It was there, and is not kept any more; or it came when it could be taken for such a one. */
  hasLeft(id: TaskId): boolean {
    return this.retention.hasLeft(id) || this.refused.has(id);
  }

  /** Its result went, because its client has it. */
  isFreed(id: TaskId): boolean {
    return this.freed.has(id);
  }

  get leftCount(): number {
    return this.retention.leftCount;
  }

  outcomeOf(id: TaskId): Outcome | null {
    return this.outcomes.get(id) ?? null;
  }

  story(id: TaskId): readonly Chapter[] {
    return this.chapters.get(id) ?? [];
  }

  private newLedger(): Ledger {
    return new Ledger({ partition: 0, secret: this.options.secret });
  }

  private fold({ seq, stampMs, subject: name, data }: StoredMessage): void {
    const subject = this.options.subjects.parseLog(0, name);
    if (subject === null) return;
    const read = decodeRecord(subject.kind, data);
    const record = read.ok ? read.value : null;
    const late = record?.type === "finish" ? this.lateFinishes(record) : [];
    const effects = this.ledger.apply({ seq, stampMs, subject, record });
    this.retention.settled(effects, this.ledger.clock.nowMs);
    if (record?.type === "control" && record.event.type === "carry")
      this.carried(record.event.carried, effects);
    if (record?.type === "control") this.retention.clockMoved(this.ledger);
    if (record?.type === "submit")
      for (const { id } of record.tasks)
        if (!this.ledger.live.has(id) && !this.outcomes.has(id)) this.noteRefusal(id, effects);
    for (const id of late)
      if (effects.some((effect) => effect.type === "settled" && effect.task.id === id))
        this.options.onWrong(`I3: ${id} was settled by an attempt that is not current`, id);
    for (const effect of effects)
      if (effect.type === "freed") {
        this.freed.add(effect.id);
        this.options.onFreed(effect.id);
      }
    for (const effect of effects)
      if (effect.type === "diverged")
        this.options.onWrong(`I7: the leader's fold differs at record ${effect.seq}`, null);
    for (const effect of effects)
      if (effect.type === "settled") this.settled(effect.task.id, effect.task.outcome);
    this.write(seq, record, effects);
  }

  private noteRefusal(id: TaskId, effects: readonly Effect[]): void {
    const why = "submit of a task that has expired";
    if (effects.some((effect) => effect.type === "void" && effect.why === why)) this.refused.add(id);
  }

  /** What is carried is what the log had, at the place that the record names. */
  private carried(all: readonly Carried[], effects: readonly Effect[]): void {
    const moved = new Set(effects.map((effect) => (effect.type === "carried" ? effect.id : null)));
    for (const { id, seq, index, value } of all) {
      if (!moved.has(id)) continue;
      this.carriedCount++;
      const before = this.valueAt(seq, index);
      if (Buffer.compare(value ?? NO_BYTES, before ?? NO_BYTES) !== 0)
        this.options.onWrong(`I1: what is carried of ${id} is not what record ${seq} had`, id);
    }
  }

  private valueAt(seq: number, index: number): Uint8Array | null {
    const stored = this.records[seq - 1];
    const subject = stored === undefined ? null : this.options.subjects.parseLog(0, stored.subject);
    const read = subject === null || stored === undefined ? null : decodeRecord(subject.kind, stored.data);
    if (read?.ok !== true) return null;
    const record = read.value;
    if (record.type === "submit") return record.tasks[index]?.args ?? null;
    if (record.type === "finish") return record.finishes[index]?.value ?? null;
    if (record.type !== "control" || record.event.type !== "carry") return null;
    return record.event.carried[index]?.value ?? null;
  }

  /** Tasks that this record has other attempts of, and not the current one: a worker may hold several of one task. */
  private lateFinishes({ finishes }: FinishRecord): TaskId[] {
    const { live } = this.ledger;
    const isCurrent = ({ id, attempt }: AttemptRef): boolean => live.get(id)?.attempt === attempt;
    const current = new Set(finishes.filter(isCurrent).map(({ id }) => id));
    return finishes.map(({ id }) => id).filter((id) => !current.has(id));
  }

  private settled(id: TaskId, outcome: Outcome): void {
    const before = this.outcomes.get(id);
    if (before !== undefined) this.options.onWrong(`I1: ${id} was ${before} and is ${outcome}`, id);
    this.outcomes.set(id, outcome);
  }

  private write(seq: number, record: LogRecord | null, effects: readonly Effect[]): void {
    if (record === null) return;
    for (const id of namedBy(record)) {
      const told = effects.filter((effect) => idOf(effect) === id || effect.type === "void").map(tellEffect);
      const chapter = { seq, record: tellRecord(record, id), effects: told };
      const chapters = this.chapters.get(id);
      if (chapters === undefined) this.chapters.set(id, [chapter]);
      else chapters.push(chapter);
    }
  }
}

function namedBy(record: LogRecord): TaskId[] {
  switch (record.type) {
    case "submit":
      return record.tasks.map(({ id }) => id);
    case "cancel":
      return record.cancels.map(({ id }) => id);
    case "received":
      return [...record.ids];
    case "finish":
      return record.finishes.map(({ id }) => id);
    case "control":
      if ("attempts" in record.event) return record.event.attempts.map(({ id }) => id);
      return "carried" in record.event ? record.event.carried.map(({ id }) => id) : [];
  }
}

function tellRecord(record: LogRecord, id: TaskId): string {
  const by = `${record.type} ${record.number} of ${record.instance}`;
  if (record.type === "finish") {
    const finish = record.finishes.find((each) => each.id === id);
    return `${by}: attempt ${finish?.attempt} ${finish?.outcome}`;
  }
  if (record.type === "control") return `${by}: ${record.event.type} in epoch ${record.epoch}`;
  return by;
}

function idOf(effect: Effect): TaskId | null {
  if ("task" in effect) return effect.task.id;
  return "id" in effect ? effect.id : null;
}

function tellEffect(effect: Effect): string {
  if (effect.type === "void") return `void: ${effect.why}`;
  if (effect.type === "settled") return `settled: ${effect.task.outcome} (attempt ${effect.task.attempt})`;
  if (effect.type === "attempt_opened") return `attempt ${effect.task.attempt} opened`;
  return effect.type;
}
