/** The index of settled tasks, against a plain map that does the same. */
import { OUTCOMES, type Sender, TaskId, type TaskName } from "@weft/protocol";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { StateReader } from "../src/core/codec/state-reader.ts";
import { StateWriter } from "../src/core/codec/state-writer.ts";
import type { SettledTask } from "../src/core/ledger/task.ts";
import { hashId, ID_WORDS, packId, unpackId } from "../src/core/settled/packed-id.ts";
import { SettledIndex } from "../src/core/settled/settled-index.ts";
import { idOf } from "./test-log.ts";

const BASE36 = "0123456789abcdefghijklmnopqrstuvwxyz";
const URL_SAFE = `${BASE36}ABCDEFGHIJKLMNOPQRSTUVWXYZ_-`;
const textOf = (alphabet: string, length: number): fc.Arbitrary<string> =>
  fc
    .array(fc.constantFrom(...alphabet), { minLength: length, maxLength: length })
    .map((each) => each.join(""));
const taskId: fc.Arbitrary<TaskId> = fc
  .tuple(fc.nat({ max: 63 }), textOf(BASE36, 4), textOf(URL_SAFE, 16))
  .map(([partition, hour, random]) => TaskId.parse(`${String(partition).padStart(2, "0")}${hour}${random}`));

describe("a packed id", () => {
  test("is 16 bytes and comes back as it was", () => {
    fc.assert(
      fc.property(taskId, fc.nat({ max: 3 }), (id, at) => {
        const words = new Uint32Array((at + 1) * ID_WORDS);
        packId(id, words, at * ID_WORDS);
        expect(unpackId(words, at * ID_WORDS)).toBe(id);
      }),
      { numRuns: 2_000 },
    );
  });

  test("spreads ids that count up as well as random ones", () => {
    const words = new Uint32Array(ID_WORDS);
    const buckets = new Uint16Array(1_024);
    for (let i = 0; i < 32_768; i++) {
      packId(idOf(i), words, 0);
      const bucket = hashId(words, 0) & 1_023;
      buckets[bucket]!++;
    }
    // 32 on average; 80 would be more than eight standard deviations off.
    expect(Math.max(...buckets)).toBeLessThan(80);
  });
});

/** Around what a column takes. */
const LARGE_COUNTS = [65_534, 65_535, 65_536, 4_000_000_000];

function settledTask(number: number, more: Partial<SettledTask> = {}): SettledTask {
  return {
    id: idOf(number),
    name: `t${number % 5}` as TaskName,
    outcome: OUTCOMES[number % OUTCOMES.length]!,
    attempt: LARGE_COUNTS[number % 7] ?? 1 + (number % 3),
    tries: LARGE_COUNTS[number % 5] ?? number % 2,
    submitted: { seq: 1 + number, index: number % 10_000 },
    settledAtMs: 1_700_000_000_000 + number,
    finish: number % 4 === 0 ? null : { seq: 2 ** 40 + number, index: number % 9_999 },
    verdict:
      number % 4 === 0
        ? { type: "workers_lost", losses: [{ worker: "worker.w1" as Sender, atMs: number }] }
        : null,
    ...more,
  };
}

const number = fc.nat({ max: 40 });
const step = fc.oneof(
  { weight: 5, arbitrary: fc.record({ type: fc.constant("add" as const), number }) },
  { weight: 2, arbitrary: fc.record({ type: fc.constant("evict" as const), number }) },
  { weight: 2, arbitrary: fc.record({ type: fc.constant("pin" as const), number }) },
  { weight: 2, arbitrary: fc.record({ type: fc.constant("unpin" as const), number }) },
  { weight: 1, arbitrary: fc.record({ type: fc.constant("move" as const), number }) },
  { weight: 1, arbitrary: fc.record({ type: fc.constant("checkpoint" as const), number }) },
);

/** It has to go on as it was (I6). */
function throughBytes(index: SettledIndex): SettledIndex {
  const chunks = chunksOf(index);
  const restored = new SettledIndex();
  const from = new StateReader();
  const loading = restored.load(from);
  for (const chunk of chunks) {
    from.open(chunk);
    loading.next();
  }
  expect(loading.next().done).toBe(true);
  expect(chunksOf(restored)).toEqual(chunks);
  return restored;
}

function chunksOf(index: SettledIndex): Uint8Array[] {
  const to = new StateWriter();
  const chunks: Uint8Array[] = [];
  for (const _ of index.save(to)) chunks.push(to.take(false));
  return [...chunks, to.take(true)];
}

describe("the index of settled tasks", () => {
  test("answers as a map in the order of settlement does, whatever is added, evicted, pinned and moved", () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
        let index = new SettledIndex();
        const model = new Map<TaskId, SettledTask>();
        const pins = new Map<TaskId, number>();
        const evicted = new Set<TaskId>();
        for (const [at, { type, number: which }] of steps.entries()) {
          const id = idOf(which);
          const known = model.get(id);
          if (type === "add" && known === undefined) {
            const task = settledTask(which);
            model.set(id, task);
            const named = which % 3;
            if (named > 0) pins.set(id, named);
            else pins.delete(id);
            index.add(task, task.finish === null ? 0 : which, named);
          } else if (type === "pin" && known !== undefined) {
            index.pin(id);
            pins.set(id, (pins.get(id) ?? 0) + 1);
          } else if (type === "unpin" && (pins.get(id) ?? 0) > 0) {
            const left = pins.get(id)! - 1;
            pins.set(id, left);
            const leaves = left === 0 && evicted.has(id);
            expect(index.unpin(id) !== null).toBe(leaves);
            expect(index.has(id)).toBe(!leaves && model.has(id));
            if (leaves) {
              model.delete(id);
              evicted.delete(id);
            }
          } else if (type === "evict") {
            const oldest = [...model.keys()].find((each) => !evicted.has(each));
            expect(index.oldestSettledAtMs()).toBe(
              oldest === undefined ? null : model.get(oldest)!.settledAtMs,
            );
            const left = index.evictOldest();
            if (oldest === undefined) expect(left).toBe(null);
            else if ((pins.get(oldest) ?? 0) > 0) {
              expect(left).toBe(null);
              evicted.add(oldest);
            } else {
              expect(left).toMatchObject({ valueSeq: model.get(oldest)!.finish?.seq ?? 0 });
              expect(index.has(oldest)).toBe(false);
              model.delete(oldest);
            }
          } else if (type === "checkpoint") index = throughBytes(index);
          else if (type === "move" && known?.finish != null) {
            const to = { seq: 2 ** 41 + at, index: at };
            index.moveValue(id, to);
            model.set(id, { ...known, finish: to });
          }
          expect(index.size).toBe(model.size);
          expect(index.get(id)).toEqual(model.get(id));
          expect(index.finishOf(id)).toEqual(model.get(id)?.finish ?? null);
          expect(index.has(id)).toBe(model.has(id));
          expect(index.pins(id)).toBe(model.has(id) ? (pins.get(id) ?? 0) : 0);
        }
        // What is kept for a pin alone comes first: it is older than all else.
        const order = [
          ...[...model.values()].filter((task) => evicted.has(task.id)),
          ...[...model.values()].filter((task) => !evicted.has(task.id)),
        ];
        expect([...index.values()].map(({ id }) => id).toSorted()).toEqual([...model.keys()].toSorted());
        expect([...index.values()].filter(({ id }) => !evicted.has(id))).toEqual(
          order.filter(({ id }) => !evicted.has(id)),
        );
        expect([...index.newestFirst()]).toEqual([...index.values()].reverse());
        const bytes = order.reduce((sum, task) => sum + index.valueBytesOf(task.id), 0);
        expect(index.valueBytes).toBe(bytes);
      }),
      { numRuns: 500 },
    );
  });

  test("takes at most 64 bytes a task with its hash table, and gives room back", () => {
    const index = new SettledIndex();
    const count = 270_000;
    let most = 0;
    for (let i = 0; i < count; i++) {
      index.add(settledTask(i, { verdict: null, attempt: 1 + (i % 3), tries: 1 }), 10);
      if (i > 65_536 && i % 64 === 0) most = Math.max(most, index.structuralBytes / index.size);
    }
    // A chunk is made whole, so the newest may stand empty: with many tasks that does not count.
    expect(most).toBeLessThanOrEqual(60 + 4);
    expect(index.structuralBytes / index.size).toBeLessThanOrEqual(60);
    expect(throughBytes(index).structuralBytes).toBe(index.structuralBytes);
    for (let i = 0; i < count - 5_000; i++) index.evictOldest();
    expect(index.size).toBe(5_000);
    expect(index.structuralBytes).toBeLessThan(5_000 * 60 + 3 * 4_096 * 50);
    for (let i = count - 5_000; i < count; i++) expect(index.get(idOf(i))?.attempt).toBe(1 + (i % 3));
  });

  test("uses its chunks again, for ever", () => {
    const index = new SettledIndex();
    for (let i = 0; i < 100_000; i++) {
      index.add(settledTask(i), 1);
      if (index.size > 6_000) index.evictOldest();
    }
    expect([...index.values()].map(({ id }) => id)).toEqual(
      Array.from({ length: 6_000 }, (_, i) => idOf(94_000 + i)),
    );
    expect(index.structuralBytes).toBeLessThan(4 * 4_096 * 54 + 4 * 16_384);
  });
});
