/** What the cache of values in front of the log holds, and what it takes. */
import { InstanceId, type LogRecord, Namespace, Subjects } from "@weft/protocol";
import type { Connection } from "@weft/transport";
import { expect, test } from "vitest";
import { heldBytes } from "../../testing/src/index.ts";
import type { Effect } from "../src/core/ledger/index.ts";
import { ValueStore } from "../src/shell/value-store.ts";
import { submission, TestLog } from "./test-log.ts";

const MIB = 1024 * 1024;
const connection = { stream: () => ({}) } as unknown as Connection;

function newStore(): ValueStore {
  return new ValueStore(connection, new Subjects(Namespace.parse("default")));
}

function fold(store: ValueStore, seq: number, tasks: number, bytesEach: number): void {
  const shared = submission(1);
  const bytes = new Uint8Array(tasks * bytesEach);
  const args = (at: number): Uint8Array => bytes.subarray(at * bytesEach, (at + 1) * bytesEach);
  const record: LogRecord = {
    type: "submit",
    instance: InstanceId.parse("c1"),
    number: seq,
    tasks: Array.from({ length: tasks }, (_, at) => ({ ...shared, args: args(at) })),
  };
  store.folded(seq, record, []);
}

function finishOf(seq: number, bytes = 1): LogRecord {
  const value = new Uint8Array(bytes).fill(7);
  const each = {
    attempt: 1,
    outcome: "succeeded",
    started: true,
    progress: null,
    value,
    failure: null,
  } as const;
  const finishes = Array.from({ length: bytes === 1 ? 100 : 1 }, () => ({ ...each, id: submission(1).id }));
  return { type: "finish", instance: InstanceId.parse("w1"), number: seq, finishes };
}

test.each([
  ["alone in their records", { records: 180_000, tasks: 1, bytesEach: 500 }],
  ["small and many", { records: 30_000, tasks: 1_000, bytesEach: 1 }],
  ["large", { records: 300, tasks: 1, bytesEach: MIB }],
])("is bounded in the memory that it takes where values are %s", (_title, { records, tasks, bytesEach }) => {
  const store = newStore();
  fold(store, 1, tasks, bytesEach);
  const before = heldBytes().all;
  for (let seq = 2; seq <= records; seq++) fold(store, seq, tasks, bytesEach);
  expect((heldBytes().all - before) / MIB).toBeLessThan(140);
  expect(store.peek({ seq: records, index: 0 })).toHaveLength(bytesEach);
  expect(store.peek({ seq: 1, index: 0 })).toBeUndefined();
});

test("holds the arguments of a million tasks, of 100 bytes each", () => {
  const store = newStore();
  const records = 1_000;
  for (let seq = 1; seq <= records; seq++) fold(store, seq, 1_000, 100);
  expect(store.peek({ seq: 1, index: 0 })).toHaveLength(100);
  expect(store.peek({ seq: records, index: 999 })).toHaveLength(100);
});

test("keeps no arguments of tasks that have all settled, and the values of their outcomes", () => {
  const store = newStore();
  const log = new TestLog();
  const play = (effects: readonly Effect[]): void => {
    const { seq, record } = log.entries.at(-1) ?? {};
    if (seq === undefined || record === undefined || record === null) throw new Error("there is no record");
    store.folded(seq, record, effects);
  };
  play(log.submit([submission(1), submission(2)]));
  const submitted = log.ledger.seq;
  play(log.succeed(1));
  expect(store.peek({ seq: submitted, index: 1 })).toEqual(Uint8Array.of(2));
  play(log.succeed(2));
  expect(store.peek({ seq: submitted, index: 1 })).toBeUndefined();
  expect(store.peek({ seq: log.ledger.seq, index: 0 })).toEqual(Uint8Array.of(1));
});

test("keeps of results those of the newest records, so that it soon takes no more however long it works", () => {
  const store = newStore();
  const finish = (seq: number): void => store.folded(seq, finishOf(seq), []);
  let before = 0;
  for (let seq = 1; seq <= 20_000; seq++) {
    if (seq === 10_000) before = heldBytes().all;
    finish(seq);
  }
  expect((heldBytes().all - before) / MIB).toBeLessThan(1);
  expect(store.peek({ seq: 20_000 - 7_679, index: 0 })).toEqual(Uint8Array.of(7));
  expect(store.peek({ seq: 20_000 - 8_192, index: 0 })).toBeUndefined();
});

test("keeps no more of large results than of small ones", () => {
  const store = newStore();
  const before = heldBytes().all;
  for (let seq = 1; seq <= 100; seq++) store.folded(seq, finishOf(seq, MIB), []);
  expect((heldBytes().all - before) / MIB).toBeLessThan(40);
  expect(store.peek({ seq: 100, index: 0 })).toHaveLength(MIB);
});
