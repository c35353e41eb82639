/**
 * The whole state of a ledger as bytes, and back (I6): a section for each field of it, in a fixed order.
 *
 * C1 What is read back folds on as what was written would have: with the same effects, to the same bytes.
 * C2 Equal states have equal bytes, wherever they were folded (I7). So nothing is written that only says how a state came
 *    about: of what is looked up lazily, or swept out later, only what still holds.
 * C3 Bytes that are damaged, cut off or out of order are refused with a `MalformedError`.
 */
import type { InstanceId, Nonce, TaskId } from "@weft/protocol";
import { Ledger } from "../ledger/ledger.ts";
import type { LedgerConfig, LedgerState } from "../ledger/state.ts";
import { loadLive, saveLive } from "./live-section.ts";
import { loadRows, saveRows } from "./rows.ts";
import { refuse, StateReader } from "./state-reader.ts";
import { StateWriter } from "./state-writer.ts";

/** The version of these bytes. */
export const STATE_FORMAT = 6;

type Section = {
  readonly save: (ledger: LedgerState, to: StateWriter) => Iterable<void>;
  readonly load: (ledger: LedgerState, from: StateReader) => Iterable<void>;
};

type Field = keyof LedgerState;
/** A field that the compiler does not find here has been forgotten. `config` is given, `effects` are of one record. */
type StateField = Exclude<
  { [Name in Field]: LedgerState[Name] extends (...args: never) => unknown ? never : Name }[Field],
  "config" | "effects"
>;

/** Only saves room. */
const NO_STATE = null;
/** Made again while the live tasks are read. */
const FROM_TASKS = null;
/** Empty between two records. */
const EMPTY = null;
/** Written by the field that is named the same otherwise: both have the same keys. */
const TOGETHER = null;

/** In this order: a dependency that nobody has submitted is known as such before the tasks that wait for it. */
const SECTIONS: { readonly [Name in StateField]: Section | null } = {
  clock: row(
    ({ clock }, to) => clock.save(to),
    ({ clock }, from) => clock.load(from),
  ),
  seq: number("seq"),
  lastControlSeq: number("lastControlSeq"),
  hash: row(
    ({ hash }, to) => hash.save(to),
    ({ hash }, from) => hash.load(from),
  ),
  lastControlMark: row(
    ({ lastControlMark: { seq, high, low } }, to) => {
      to.count(seq);
      to.count(high);
      to.count(low);
    },
    (ledger, from) => {
      ledger.lastControlMark = { seq: from.count(), high: from.count(), low: from.count() };
    },
  ),
  epoch: number("epoch"),
  leader: row(
    ({ leader }, to) => to.textOrNull(leader),
    (ledger, from) => {
      ledger.leader = from.textOrNull() as Nonce | null;
    },
  ),
  leaderInstance: row(
    ({ leaderInstance }, to) => to.textOrNull(leaderInstance),
    (ledger, from) => {
      ledger.leaderInstance = from.textOrNull() as InstanceId | null;
    },
  ),
  foldVersion: number("foldVersion"),
  settings: row(
    ({ settings }, to) => {
      to.count(settings.retentionMs);
      to.count(settings.retentionMinMs);
      to.count(settings.settledTasksMax);
      to.count(settings.resultBytesMax);
      to.count(settings.logBytesMax);
    },
    (ledger, from) => {
      // The fields are read in the order in which they stand here.
      ledger.settings = {
        retentionMs: from.count(),
        retentionMinMs: from.count(),
        settledTasksMax: from.count(),
        resultBytesMax: from.count(),
        logBytesMax: from.count(),
      };
    },
  ),
  expiredToMs: number("expiredToMs"),
  nextOrder: number("nextOrder"),
  senders: {
    save: ({ senders }, to) => senders.save(to),
    load: ({ senders }, from) => senders.load(from),
  },
  settled: {
    save: ({ settled }, to) => settled.save(to),
    load: ({ settled }, from) => settled.load(from),
  },
  carried: {
    save: ({ carried }, to) => carried.save(to),
    load: ({ carried }, from) => carried.load(from),
  },
  received: {
    save: ({ received }, to) => saveRows(to, received, received.size, (id) => to.id(id)),
    load: ({ received }, from) => loadRows(from, () => void received.add(from.id())),
  },
  earlyCancels: TOGETHER,
  earlyCancelDeadlines: {
    save: ({ earlyCancels, earlyCancelDeadlines }, to) =>
      earlyCancelDeadlines.save(to, (id) => {
        to.id(id);
        to.textOrNull(earlyCancels.get(id) ?? null);
      }),
    load: ({ earlyCancels, earlyCancelDeadlines }, from) =>
      earlyCancelDeadlines.load(from, () => {
        const id = from.id();
        earlyCancels.set(id, from.textOrNull());
        return id;
      }),
  },
  unknown: TOGETHER,
  unknownDeadlines: {
    save: ({ unknownDeadlines }, to) => unknownDeadlines.save(to, (id) => to.id(id)),
    load: ({ unknown, unknownDeadlines }, from) =>
      unknownDeadlines.load(from, () => {
        const id: TaskId = from.id();
        unknown.set(id, []);
        return id;
      }),
  },
  argsBytes: FROM_TASKS,
  live: { save: saveLive, load: loadLive },
  names: NO_STATE,
  timers: FROM_TASKS,
  children: FROM_TASKS,
  orphans: EMPTY,
};

function row(
  save: (ledger: LedgerState, to: StateWriter) => void,
  load: (ledger: LedgerState, from: StateReader) => void,
): Section {
  return {
    save(ledger, to) {
      save(ledger, to);
      return [];
    },
    load(ledger, from) {
      load(ledger, from);
      return [];
    },
  };
}

type NumberField = "seq" | "lastControlSeq" | "epoch" | "foldVersion" | "expiredToMs" | "nextOrder";

function number(name: NumberField): Section {
  return row(
    (ledger, to) => to.count(ledger[name]),
    (ledger, from) => {
      ledger[name] = from.count();
    },
  );
}

/** In chunks of bounded size. The ledger must not be changed before all of them are taken. */
export function* encodeLedger(ledger: LedgerState): Generator<Uint8Array> {
  const to = new StateWriter();
  for (const section of Object.values(SECTIONS)) {
    if (section === null) continue;
    for (const _ of section.save(ledger, to)) yield to.take(false);
  }
  yield to.take(true);
}

/** Takes the chunks in order. */
export class LedgerDecoder {
  private readonly ledger: Ledger;
  private readonly from = new StateReader();
  private readonly loading: Iterator<void>;
  private isLoaded = false;

  constructor(config: LedgerConfig) {
    this.ledger = new Ledger(config);
    this.loading = load(this.ledger, this.from);
  }

  push(chunk: Uint8Array): void {
    if (this.from.isLast) refuse("it goes on behind its end");
    this.from.open(chunk);
    this.isLoaded ||= this.loading.next().done === true;
    if (!this.from.isAtEnd) refuse("there is more than belongs to it");
  }

  done(): Ledger {
    return this.isLoaded && this.from.isLast ? this.ledger : refuse("it ends in the middle");
  }
}

function* load(ledger: LedgerState, from: StateReader): Generator<void> {
  for (const section of Object.values(SECTIONS)) {
    if (section === null) continue;
    if (from.isAtEnd) yield;
    yield* section.load(ledger, from);
  }
}
