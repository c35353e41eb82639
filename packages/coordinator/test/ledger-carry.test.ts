/** Values that are carried to the end of the log: they move there once, and only while they are needed. */
import type { Submission } from "@weft/protocol";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type CarryFacts, oldestNeededSeq, planCarries } from "../src/core/ledger/index.ts";
import { neededOf } from "../src/core/ledger/needed.ts";
import { bytesNeeded } from "../src/core/ledger/retention.ts";
import { stepsWithRetention } from "./ledger-steps.ts";
import { idOf, submission, TestLog, typesOf } from "./test-log.ts";

function begun(): TestLog {
  const log = new TestLog();
  log.elect();
  return log;
}

const VOID = "void: carry of a value that is not there any more";
const seqOf = (log: TestLog, id: number): number =>
  log.ledger.live.get(idOf(id))?.submitted.seq ?? log.ledger.settled.get(idOf(id))?.finish?.seq ?? 0;

/** What the log holds where the ledger says that a value is. */
function storedOf(log: TestLog, id: number): unknown {
  const { seq, index } = log.ledger.live.get(idOf(id))?.submitted ??
    log.ledger.settled.get(idOf(id))?.finish ?? { seq: 0, index: 0 };
  const record = log.entries[seq - 1]?.record;
  if (record?.type === "submit") return record.tasks[index]?.args;
  if (record?.type === "finish") return record.finishes[index]?.value;
  return record?.type === "control" && record.event.type === "carry"
    ? record.event.carried[index]?.value
    : undefined;
}

describe("a value that is carried", () => {
  test("is found in the record that carries it from then on: arguments and results", () => {
    const log = begun();
    log.submit([submission(1), submission(2), submission(3, [2])]);
    log.succeed(2);
    const { seq } = log.ledger;
    expect(typesOf(log.carry(seq - 1))).toEqual(["carried", "carried"]);
    expect(seqOf(log, 1)).toBe(seq + 1);
    expect([storedOf(log, 1), storedOf(log, 3)]).toEqual([Uint8Array.of(1), Uint8Array.of(3)]);
    expect(oldestNeededSeq(log.ledger)).toBe(seq);
    expect(typesOf(log.carry(seq))).toEqual(["carried"]);
    expect(log.ledger.settled.get(idOf(2))?.finish).toEqual({ seq: seq + 2, index: 0 });
    expect(storedOf(log, 2)).toEqual(Uint8Array.of(1));
    expect(oldestNeededSeq(log.ledger)).toBe(seq + 1);
  });

  test("can be carried on, as often as it is needed for long", () => {
    const log = begun();
    log.submit([submission(1), submission(2)]);
    for (let i = 0; i < 3; i++) log.carry(log.ledger.seq);
    expect(seqOf(log, 1)).toBe(log.ledger.seq);
    expect([...log.ledger.carried]).toEqual([[log.ledger.seq, { count: 2, bytes: 2 }]]);
    log.succeed(1);
    expect([...log.ledger.carried]).toEqual([[log.ledger.seq - 1, { count: 1, bytes: 1 }]]);
    log.succeed(2);
    expect(log.ledger.carried.size).toBe(0);
  });

  test("takes no more of the log's limit than before", () => {
    const log = begun();
    log.submit([submission(1), submission(2)]);
    const before = bytesNeeded(log.ledger);
    log.carry(log.ledger.seq);
    expect(bytesNeeded(log.ledger)).toBe(before);
  });

  test("and is evicted, or was only kept for what waited, holds the log no longer", () => {
    const log = begun();
    log.settings({ retentionMs: 10_000, retentionMinMs: 0 });
    log.submit([submission(1), submission(2)]);
    log.succeed(1, 2);
    log.submit([submission(3, [1])]);
    log.carry(log.ledger.seq - 1);
    log.tick(11_000);
    expect([...log.ledger.carried].map(([, share]) => share)).toEqual([{ count: 1, bytes: 1 }]);
    expect(log.ledger.settled.kept.get(idOf(1))?.task.finish?.seq).toBe(seqOf(log, 1));
    log.carry(seqOf(log, 1));
    log.succeed(3);
    log.tick(11_000);
    expect(log.ledger.carried.size).toBe(0);
    expect(oldestNeededSeq(log.ledger)).toBe(log.ledger.seq + 1);
  });
});

describe("a carry record is void", () => {
  test("where the task has settled meanwhile, or the result has left", () => {
    const log = begun();
    log.submit([submission(1)]);
    const submitted = log.ledger.seq;
    const carried = neededOf(log.ledger, submitted, log.entries[submitted - 1]!.record!);
    log.succeed(1);
    expect(typesOf(log.control({ type: "carry", carried }))).toEqual([VOID]);
    expect(log.ledger.carried.size).toBe(0);
  });

  test("where it comes twice, or the value is at another place, or is another value", () => {
    const log = begun();
    log.submit([submission(1), submission(2)]);
    const { seq } = log.ledger;
    const carried = neededOf(log.ledger, seq, log.entries[seq - 1]!.record!);
    for (const change of [{ index: 7 }, { seq: 1 }, { value: null }, { part: "result" as const }])
      expect(typesOf(log.carry(seq, change))).toEqual([VOID, VOID]);
    expect(typesOf(log.carry(seq))).toEqual(["carried", "carried"]);
    expect(typesOf(log.control({ type: "carry", carried }))).toEqual([VOID, VOID]);
    expect(seqOf(log, 1)).toBe(log.ledger.seq - 1);
  });

  test("where a leader wrote it that is deposed", () => {
    const log = begun();
    log.submit([submission(1)]);
    expect(typesOf(log.carry(log.ledger.seq, {}, 77))).toEqual(["void: another epoch"]);
  });
});

test("every value is found as it was, whatever is carried when, and the oldest needed record is the oldest of them all", () => {
  fc.assert(
    fc.property(stepsWithRetention, (steps) => {
      const log = begun();
      const values = new Map<string, unknown>();
      for (const step of steps) {
        step(log);
        const { live, settled, seq } = log.ledger;
        const positions = [
          ...[...live].map(({ id, attempt, submitted }) => ({
            key: `${id} ${attempt > 0}`,
            at: submitted,
          })),
          ...[...settled.values()].flatMap(({ id, finish }) =>
            finish === null ? [] : [{ key: id, at: finish }],
          ),
        ];
        expect(oldestNeededSeq(log.ledger)).toBe(Math.min(seq + 1, ...positions.map(({ at }) => at.seq)));
        for (const { key, at } of positions) {
          const record = log.entries[at.seq - 1]!.record!;
          const found = neededOf(log.ledger, at.seq, record).find(({ index }) => index === at.index);
          expect(found?.id).toBe(key.split(" ")[0]);
          if (values.has(key)) expect(found?.value).toEqual(values.get(key));
          values.set(key, found?.value);
        }
        for (const key of values.keys()) if (!positions.some((each) => each.key === key)) values.delete(key);
      }
    }),
    { numRuns: 200 },
  );
});

describe("the leader carries", () => {
  const facts: CarryFacts = {
    purgeableSeq: 1_000,
    recordBytes: 100,
    freedBytesMin: 10_000,
    carriedBytesMax: 1_000_000,
  };

  /** Live tasks at these records, of 100 needed bytes each. */
  function at(...seqs: readonly number[]): TestLog {
    const log = begun();
    for (const seq of seqs) {
      while (log.ledger.seq < seq - 1) log.tick();
      log.submit([{ ...submission(seq), args: new Uint8Array(52) }]);
    }
    return log;
  }

  test.each<[string, readonly number[], Partial<CarryFacts>, readonly number[]]>([
    ["the one old value that the whole log waits for", [2], {}, [2]],
    ["nothing from what cannot be purged anyway", [2], { purgeableSeq: 2 }, []],
    ["nothing to purge little", [2], { freedBytesMin: 99_801 }, []],
    ["the oldest first, so much at once", [2, 3, 4], { carriedBytesMax: 150 }, [2, 3]],
    [
      "nothing where most of what could be purged is needed",
      [2, 4, 6, 8],
      { purgeableSeq: 9, freedBytesMin: 1 },
      [],
    ],
    [
      "up to where it pays, and leaves what is dense behind that",
      [2, 3, 60, 61, 62, 63],
      { purgeableSeq: 64, freedBytesMin: 1_000 },
      [2, 3],
    ],
  ])("%s", (_title, seqs, change, expected) => {
    expect(planCarries(at(...seqs).ledger, { ...facts, ...change })).toEqual(expected);
  });

  test("the first of very many, where all that is needed is little of the log", () => {
    const log = begun();
    const tasks = (first: number): Submission[] =>
      Array.from({ length: 2_500 }, (_, i) => ({ ...submission(first + i), args: new Uint8Array(52) }));
    for (let first = 0; first < 25_000; first += 2_500) log.submit(tasks(first));
    const rare = { ...facts, purgeableSeq: log.ledger.seq, recordBytes: 9e5, carriedBytesMax: 300_000 };
    expect(planCarries(log.ledger, rare)).toEqual([]);
    while (log.ledger.seq < 60) log.tick();
    expect(planCarries(log.ledger, { ...rare, purgeableSeq: 60 })).toEqual([2, 3]);
  });

  test("what was carried as well, once the log has gone on", () => {
    const log = at(2, 3);
    log.carry(2);
    expect(planCarries(log.ledger, { ...facts, carriedBytesMax: 1 })).toEqual([3]);
    log.carry(3);
    expect(planCarries(log.ledger, facts)).toEqual([4, 5]);
  });

  test("nothing where nothing is needed", () => {
    expect(planCarries(begun().ledger, facts)).toEqual([]);
  });
});
