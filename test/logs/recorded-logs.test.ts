/** Logs that were recorded once: every later version folds them to what they folded to then (I7). */
import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { encodeLedger, LedgerDecoder } from "../../packages/coordinator/src/core/codec/ledger-codec.ts";
import type { Ledger } from "../../packages/coordinator/src/core/ledger/index.ts";
import { differenceOf, foldLog, parseLog, type RecordedLog } from "./recorded-log.ts";

const folder = new URL("../fixtures/logs/", import.meta.url);
const files = readdirSync(folder).filter((name) => name.endsWith(".jsonl"));
const logs = files.map((name): [string, RecordedLog] => [
  name.replace(".jsonl", ""),
  parseLog(readFileSync(new URL(name, folder), "utf8")),
]);

function throughBytes(ledger: Ledger): Ledger {
  const decoder = new LedgerDecoder(ledger.config);
  for (const chunk of encodeLedger(ledger)) decoder.push(chunk);
  return decoder.done();
}

describe.each(logs)("the recorded log %s", (_, log) => {
  const { fold } = log.head;

  test("folds to what it folded to when it was recorded, effect by effect (I7)", () => {
    const { told } = foldLog(log);
    expect(differenceOf(fold, told)).toBeNull();
    expect(told).toEqual(fold);
  });

  test("does so with a checkpoint after every few records as well (I6)", () => {
    const { told } = foldLog(log, (ledger, seq) => (seq % 7 === 0 ? throughBytes(ledger) : ledger));
    expect(differenceOf(fold, told)).toBeNull();
  });
});

test("the recorded logs have what logs of years have: retries, cancels, chains, leader changes, repeats, garbage, what is carried", () => {
  const whole = logs.map(([, { head }]) => head.fold);
  const tasks = new Set(whole.flatMap((fold) => Object.keys(fold.tasks)));
  const voided = new Set(whole.flatMap((fold) => Object.keys(fold.voided)));
  for (const outcome of ["succeeded", "failed", "cancelled", "timed_out", "rejected", "waiting", "released"])
    expect(tasks).toContain(outcome);
  for (const why of ["repeat", "another epoch", "no record", "finish of an attempt that is not current"])
    expect(voided).toContain(why);
  expect(whole.some(({ effects }) => (effects.carried ?? 0) > 0)).toBe(true);
});

test("a recorded log that is changed in one record folds to something else, and it is told where", () => {
  const [, log] = logs.find(([name]) => name.startsWith("drawn")) ?? logs[0]!;
  const records = log.records.filter((_, index) => index !== 60);
  const { told } = foldLog({ ...log, records });
  expect(differenceOf(log.head.fold, told)).toBe("the folds differ between record 51 and 100");
});
