/** L8: folds that differ in what any record did differ in their hash, and the next tick of the leader shows it. */
import {
  encodeRecord,
  FoldDivergedError,
  InstanceId,
  type LogRecord,
  Namespace,
  Subjects,
} from "@weft/protocol";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Effect } from "../src/core/ledger/effect.ts";
import type { Ledger, LogEntry } from "../src/core/ledger/ledger.ts";
import { LogFold } from "../src/shell/log-fold.ts";
import { stepsWithRetention } from "./ledger-steps.ts";
import { idOf, newLedger, submission, TestLog } from "./test-log.ts";

/** A tick as the leader writes it, with what its fold has come to. */
function tick(log: TestLog): Effect[] {
  return log.control({ type: "tick", mark: log.ledger.lastControlMark });
}

function folded(entries: readonly LogEntry[]): Ledger {
  const ledger = newLedger();
  for (const entry of entries) ledger.apply(entry);
  return ledger;
}

const divergedIn = (effects: readonly Effect[]): number[] =>
  effects.flatMap((effect) => (effect.type === "diverged" ? [effect.seq] : []));

test("folds of one log agree at every tick, whatever is in it (I7)", () => {
  fc.assert(
    fc.property(stepsWithRetention, (all) => {
      const log = new TestLog();
      log.elect();
      for (const act of all) {
        act(log);
        expect(divergedIn(tick(log))).toEqual([]);
      }
      const again = folded(log.entries);
      expect(again.lastControlMark).toEqual(log.ledger.lastControlMark);
      expect([again.hash.high, again.hash.low]).toEqual([log.ledger.hash.high, log.ledger.hash.low]);
    }),
    { numRuns: 100 },
  );
});

describe("a fold that did one thing otherwise", () => {
  const log = new TestLog();
  log.elect();
  log.submit([submission(1), submission(2, [1])]);
  log.tick(500);
  log.succeed(1);
  log.tick(500);
  const mark = log.ledger.lastControlMark;
  log.control({ type: "tick", mark });
  const last = log.entries.at(-1)!;

  test.each<[string, (ledger: Ledger, entry: LogEntry) => void]>([
    [
      "a record that it passed over",
      (ledger, entry) => entry.seq === 2 && ledger.apply({ ...entry, record: null }),
    ],
    [
      "an attempt that it counts otherwise",
      (ledger, { seq }) => {
        const task = ledger.live.get(idOf(1));
        if (seq === 3 && task !== undefined) task.tries = 5;
      },
    ],
    ["a task that it has lost", (ledger, { seq }) => void (seq === 5 && ledger.live.delete(idOf(1)))],
  ])("is found out by the next tick: %s", (_, spoil) => {
    const ledger = newLedger();
    let effects: Effect[] = [];
    for (const entry of log.entries) {
      const before = ledger.seq;
      spoil(ledger, entry);
      if (ledger.seq === before) effects = ledger.apply(entry);
    }
    expect(divergedIn(effects)).toEqual([mark.seq]);
  });

  test("is not blamed for a mark that is of another record", () => {
    const ledger = folded(log.entries.slice(0, -1));
    const stale = { ...mark, seq: mark.seq - 1, high: 1 };
    const record = { ...last.record, event: { type: "tick", mark: stale } } as LogRecord;
    expect(divergedIn(ledger.apply({ ...last, record }))).toEqual([]);
  });

  test("stops with FoldDivergedError, and names the record", () => {
    const subjects = new Subjects(Namespace.parse("default"));
    const ledger = folded(log.entries.slice(0, -1));
    const fold = new LogFold({ ledger, subjects, skipped: new Set(), onVoid: () => undefined });
    const record = {
      ...last.record,
      event: { type: "tick", mark: { ...mark, low: mark.low ^ 1 } },
    } as LogRecord;
    const raw = {
      seq: last.seq,
      stampMs: last.stampMs,
      subject: subjects.control(0, ledger.config.secret),
      data: encodeRecord({ ...record, instance: InstanceId.parse("k1") } as LogRecord),
    };
    expect(() => fold.apply(raw)).toThrow(FoldDivergedError);
  });
});
