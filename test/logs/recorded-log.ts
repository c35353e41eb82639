/**
 * A log that was recorded once, as a file: a line of JSON that says what it is and what it folds to, then a line for each
 * record, `[stamp in ms, subject, bytes in base64]`, from the first record of the log on.
 */
import { createHash, type Hash } from "node:crypto";
import { ControlSecret, decodeRecord, Namespace, Subjects } from "@weft/protocol";
import {
  type Effect,
  Ledger,
  type LiveTask,
  type SettledTask,
} from "../../packages/coordinator/src/core/ledger/index.ts";

export type RecordedRecord = readonly [stampMs: number, subject: string, data: string];

/** What a log folds to, told without the names and the order of the fields of today's code. */
export type FoldTold = {
  /** After so many records each, and at the end: where a fold differs, it first differs between two of them. */
  readonly digests: readonly string[];
  readonly tasks: Readonly<Record<string, number>>;
  readonly voided: Readonly<Record<string, number>>;
  /** Elections, resignations, further attempts, and the like. */
  readonly effects: Readonly<Record<string, number>>;
};

export type LogHead = {
  /** What happens in it. */
  readonly about: string;
  /** What it was recorded from. */
  readonly from: string;
  readonly namespace: string;
  readonly secret: string;
  readonly fold: FoldTold;
};

export type RecordedLog = { readonly head: LogHead; readonly records: readonly RecordedRecord[] };

const DIGEST_EVERY = 50;
const DIGEST_LENGTH = 16;

export function parseLog(text: string): RecordedLog {
  const [head = "", ...lines] = text.trimEnd().split("\n");
  return {
    head: JSON.parse(head) as LogHead,
    records: lines.map((line) => JSON.parse(line) as RecordedRecord),
  };
}

export function textOfLog({ head, records }: RecordedLog): string {
  return `${[head, ...records].map((line) => JSON.stringify(line)).join("\n")}\n`;
}

/** Folds a log as a coordinator does. `onFolded` is told the ledger after each record, and gives the one to go on with. */
export function foldLog(
  { head, records }: Pick<RecordedLog, "records"> & { readonly head: Pick<LogHead, "namespace" | "secret"> },
  onFolded: (ledger: Ledger, seq: number) => Ledger = (ledger) => ledger,
): { readonly ledger: Ledger; readonly told: FoldTold } {
  const subjects = new Subjects(Namespace.parse(head.namespace));
  let ledger = new Ledger({ partition: 0, secret: ControlSecret.parse(head.secret) });
  const hash = createHash("sha256");
  const digests: string[] = [];
  const voided: Record<string, number> = {};
  const effectsByType: Record<string, number> = {};
  for (const [index, [stampMs, name, data]] of records.entries()) {
    const seq = index + 1;
    const subject = subjects.parseLog(0, name);
    if (subject === null) throw new Error(`record ${seq} has a subject that is none of the log`);
    const read = decodeRecord(subject.kind, Buffer.from(data, "base64"));
    const effects = ledger.apply({ seq, stampMs, subject, record: read.ok ? read.value : null });
    if (!read.ok) countIn(voided, "no record");
    for (const effect of effects) {
      countIn(effectsByType, effect.type);
      if (effect.type === "void") countIn(voided, effect.why);
      hash.update(`${seq} ${effectText(effect)}\n`);
    }
    if (seq % DIGEST_EVERY === 0) digests.push(digestOf(hash.copy()));
    ledger = onFolded(ledger, seq);
  }
  for (const line of stateText(ledger)) hash.update(`${line}\n`);
  digests.push(digestOf(hash));
  return { ledger, told: { digests, tasks: tasksByState(ledger), voided, effects: effectsByType } };
}

function countIn(counts: Record<string, number>, name: string): void {
  counts[name] = (counts[name] ?? 0) + 1;
}

/** Between which records two folds first differ; null where they do not. */
export function differenceOf(expected: FoldTold, found: FoldTold): string | null {
  const length = Math.max(expected.digests.length, found.digests.length);
  for (let i = 0; i < length; i++) {
    if (expected.digests[i] === found.digests[i]) continue;
    if (i === expected.digests.length - 1) return "the folds differ behind the last digest, or in the state";
    return `the folds differ between record ${i * DIGEST_EVERY + 1} and ${(i + 1) * DIGEST_EVERY}`;
  }
  return null;
}

function digestOf(hash: Hash): string {
  return hash.digest("hex").slice(0, DIGEST_LENGTH);
}

function effectText(effect: Effect): string {
  switch (effect.type) {
    case "submitted":
    case "released":
    case "queue_overdue":
    case "cancelling":
      return `${effect.type} ${liveText(effect.task)}`;
    case "attempt_opened":
      return `${effect.type} ${effect.previous} ${liveText(effect.task)}`;
    case "settled":
      return `${effect.type} ${settledText(effect.task)} ${effect.live.owner}`;
    case "submitted_again":
      return `${effect.type} ${effect.id} ${effect.sender}`;
    case "carried":
    case "freed":
      return `${effect.type} ${effect.id}`;
    case "leader_elected":
      return `${effect.type} ${effect.epoch} ${effect.nonce}`;
    case "leader_resigned":
      return `${effect.type} ${effect.epoch}`;
    case "diverged":
      return `${effect.type} ${effect.seq}`;
    case "void":
      return `${effect.type} ${effect.why}`;
  }
}

function stateText({ clock, seq, lastControlSeq, epoch, leader, live, settled }: Ledger): string[] {
  return [
    `${clock.nowMs} ${seq} ${lastControlSeq} ${epoch} ${leader}`,
    ...Array.from(live, liveText),
    ...Array.from(settled.values(), settledText),
  ];
}

function liveText(task: LiveTask): string {
  const { id, name, state, attempt, tries, unmet, waitDueMs, submitted, dependencies, parent, losses } = task;
  const position = `${submitted.seq}.${submitted.index}`;
  const of = parent === null ? "-" : `${parent.id}.${parent.attempt}`;
  return [
    id,
    name,
    state,
    attempt,
    tries,
    unmet,
    waitDueMs,
    position,
    of,
    losses.length,
    ...dependencies,
  ].join(" ");
}

function settledText(task: SettledTask): string {
  const { id, name, outcome, attempt, tries, settledAtMs, finish, verdict } = task;
  const position = finish === null ? "-" : `${finish.seq}.${finish.index}`;
  return [id, name, outcome, attempt, tries, settledAtMs, position, sortedJson(verdict)].join(" ");
}

function sortedJson(value: unknown): string {
  return JSON.stringify(value, (_, each: unknown) =>
    typeof each === "object" && each !== null && !Array.isArray(each)
      ? Object.fromEntries(Object.entries(each).sort(([a], [b]) => (a < b ? -1 : 1)))
      : each,
  );
}

function tasksByState({ live, settled }: Ledger): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { state } of live) countIn(counts, state);
  for (const { outcome } of settled.values()) countIn(counts, outcome);
  return counts;
}
