/** What a ledger keeps of the texts of a record, and for whom lists are kept. */
import { decodeRecord, encodeRecord, InstanceId, TaskId } from "@weft/protocol";
import { expect, test } from "vitest";
import { heldBytes } from "../../testing/src/index.ts";
import { NOBODY, withDependent } from "../src/core/ledger/dependents.ts";
import { Names, ownText } from "../src/core/ledger/own-text.ts";
import type { LiveTask } from "../src/core/ledger/task.ts";
import { CLIENT, newLedger, submission, TestLog, WORKER } from "./test-log.ts";

test("a text that is copied is the same text, whatever is in it", () => {
  for (const text of ["", "gpu", "genug \u{1f600} \ud800", "\u0000"]) expect(ownText(text)).toBe(text);
  expect(ownText(null)).toBeNull();
});

test("names are one text each, of which no more are known than a bound", () => {
  const names = new Names();
  for (let i = 0; i < 25_000; i++) expect(names.one(`name-${i}`)).toBe(`name-${i}`);
  expect((names as unknown as { known: Map<string, string> }).known.size).toBeLessThanOrEqual(10_000);
});

test("one task that is left of a record does not keep the texts of all others in memory", () => {
  const instance = InstanceId.parse("c1");
  const ledger = newLedger();
  const records = 200;
  const tasksEach = 400;
  const fold = (kind: "submit" | "finish", data: Uint8Array): void => {
    const read = decodeRecord(kind, data);
    if (!read.ok) throw new Error(read.kind);
    const sender = kind === "submit" ? CLIENT : WORKER;
    ledger.apply({ seq: ledger.seq + 1, stampMs: 1, subject: { kind, sender }, record: read.value });
  };
  const play = (number: number): void => {
    const tasks = Array.from({ length: tasksEach }, (_, i) => ({
      ...submission(i),
      id: TaskId.create(0, 1),
    }));
    fold("submit", encodeRecord({ type: "submit", instance, number, tasks }));
    const finishes = tasks.slice(1).map(({ id }) => ({
      id,
      attempt: 1,
      outcome: "succeeded" as const,
      started: true,
      progress: null,
      value: null,
      failure: null,
    }));
    fold("finish", encodeRecord({ type: "finish", instance: InstanceId.parse("w1"), number, finishes }));
  };
  for (let number = 1; number <= 50; number++) play(number);
  const before = heldBytes().heap;
  for (let number = 51; number <= 50 + records; number++) play(number);
  expect(ledger.live.size).toBe(50 + records);
  // The texts of the ids of one record are 9 KiB.
  expect((heldBytes().heap - before) / records).toBeLessThan(3_000);
});

test("whoever waits for a task is in its list once for each time, in order, and lists of those that settled are compacted", () => {
  const log = new TestLog();
  log.submit(Array.from({ length: 200 }, (_, i) => submission(i)));
  const tasks = [...log.ledger.live];
  let list: readonly LiveTask[] = NOBODY;
  for (const [i, task] of tasks.entries()) {
    list = withDependent(list, task);
    expect(list.at(-1)).toBe(task);
    if (i < 64) expect(list).toEqual(tasks.slice(0, i + 1));
    if (i === 63) for (const each of tasks.slice(0, 60)) each.isSettled = true;
  }
  expect(list).toEqual(tasks.slice(60));
  expect(NOBODY).toEqual([]);
});
