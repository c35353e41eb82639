/** I6: a ledger that went through its bytes folds on as if it had not, and bytes that are no ledger are refused. */
import { MalformedError } from "@weft/protocol";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { encodeLedger, LedgerDecoder } from "../src/core/codec/ledger-codec.ts";
import { type Ledger, oldestNeededSeq } from "../src/core/ledger/index.ts";
import { checkInvariants } from "../src/core/ledger/invariants.ts";
import { type Step, stepsWithRetention } from "./ledger-steps.ts";
import { idOf, newLedger, submission, TestLog } from "./test-log.ts";

const bytesOf = (ledger: Ledger): string => Buffer.concat([...encodeLedger(ledger)]).toString("base64");

function decode(chunks: Iterable<Uint8Array>): Ledger {
  const decoder = new LedgerDecoder(newLedger().config);
  for (const chunk of chunks) decoder.push(chunk);
  return decoder.done();
}

const throughBytes = (ledger: Ledger): Ledger => decode(encodeLedger(ledger));

function play(all: readonly Step[]): TestLog {
  const log = new TestLog();
  log.elect();
  for (const act of all) act(log);
  return log;
}

/** As many tasks as that in one ledger, each after the one before. */
function chain(length: number): Ledger {
  const log = new TestLog();
  log.submit([submission(0)]);
  const { subject, record, stampMs } = log.entries[0]!;
  if (record?.type !== "submit") throw new Error("that was no submit");
  const tasks = Array.from({ length }, (_, i) => submission(i, i === 0 ? [] : [i - 1]));
  const ledger = newLedger();
  ledger.apply({ seq: 1, stampMs, subject, record: { ...record, tasks } });
  return ledger;
}

describe("a ledger that is read back from its bytes", () => {
  test("has one object for what all tasks want that want nothing, as before", () => {
    const wants = (of: Ledger) => new Set([...of.live].map(({ terms }) => terms));
    const log = new TestLog();
    log.submit([submission(1), submission(2), submission(3, [], { timeoutMs: 5 })]);
    expect(wants(log.ledger).size).toBe(2);
    expect([...wants(throughBytes(log.ledger))]).toEqual([...wants(log.ledger)]);
    expect(wants(throughBytes(log.ledger)).size).toBe(2);
  });

  test("I6, I7: folds on with the same effects to the same bytes, wherever the log is cut", () => {
    fc.assert(
      fc.property(stepsWithRetention, fc.nat(), (all, where) => {
        const log = play(all);
        const cut = where % (log.entries.length + 1);
        const whole = newLedger();
        for (const entry of log.entries.slice(0, cut)) whole.apply(entry);
        const restored = throughBytes(whole);
        expect(bytesOf(restored)).toBe(bytesOf(whole));
        for (const entry of log.entries.slice(cut)) {
          expect(restored.apply(entry).map(withoutLinks)).toEqual(whole.apply(entry).map(withoutLinks));
          expect(checkInvariants(restored)).toEqual([]);
        }
        expect(bytesOf(restored)).toBe(bytesOf(whole));
        expect(bytesOf(restored)).toBe(bytesOf(log.ledger));
        const needed = [
          ...[...restored.live].map(({ submitted }) => submitted.seq),
          ...[...restored.settled.values()].flatMap(({ finish }) => (finish === null ? [] : [finish.seq])),
        ];
        expect(oldestNeededSeq(restored)).toBe(Math.min(restored.seq + 1, ...needed));
      }),
      { numRuns: 300 },
    );
  });

  test("I6: goes through its bytes after every record and is the same", () => {
    fc.assert(
      fc.property(stepsWithRetention, (all) => {
        const log = play(all);
        let ledger = newLedger();
        for (const entry of log.entries) {
          ledger.apply(entry);
          ledger = throughBytes(ledger);
        }
        expect(bytesOf(ledger)).toBe(bytesOf(log.ledger));
      }),
      { numRuns: 100 },
    );
  });

  test("has all tasks and what they wait for, in chunks that fit into a message, in a chain longer than any stack", () => {
    const ledger = chain(100_000);
    const chunks = [...encodeLedger(ledger)];
    expect(chunks.length).toBeGreaterThan(5);
    for (const chunk of chunks) expect(chunk.length).toBeLessThan(768 * 1024);
    const restored = decode(chunks);
    expect(restored.live.size).toBe(100_000);
    expect(restored.live.get(idOf(7))?.dependents).toEqual([restored.live.get(idOf(8))]);
    expect(bytesOf(restored)).toBe(bytesOf(ledger));
  });

  test("two waits of one task that end at one moment are one, before a checkpoint and after it", () => {
    const log = new TestLog();
    log.elect();
    log.submit([submission(1, [], { queueTimeoutMs: 60_000 })]);
    log.tick();
    // The attempt goes back; the next one's wait begins at the same moment of the ledger's clock.
    log.finish([{ id: idOf(1), outcome: "returned", started: false }]);
    log.tick();
    const restored = throughBytes(log.ledger);
    const known = log.entries.length;
    const before = log.effects.length;
    log.tick(62_000);
    const overdue = log.effects.slice(before).filter(({ type }) => type === "queue_overdue");
    expect(overdue).toHaveLength(1);
    const again = log.entries.slice(known).flatMap((entry) => restored.apply(entry));
    expect(again.filter(({ type }) => type === "queue_overdue")).toHaveLength(1);
  });
});

/** Effects name tasks, which name their dependents, whose lists may still have those that settled. */
function withoutLinks(effect: object): object {
  return "task" in effect ? { ...effect, task: { ...(effect.task as object), dependents: null } } : effect;
}

describe("bytes that are no ledger", () => {
  const chunks = [...encodeLedger(chain(20_000))];

  test("I6: are refused wherever one bit of them changed, and never make a state", () => {
    fc.assert(
      fc.property(stepsWithRetention, fc.nat(), fc.nat({ max: 7 }), (all, where, bit) => {
        const bytes = [...encodeLedger(play(all).ledger)];
        const at = where % bytes[0]!.length;
        bytes[0]![at]! ^= 1 << bit;
        expect(() => decode(bytes)).toThrow(MalformedError);
      }),
      { numRuns: 300 },
    );
  });

  test("are refused where they are cut off, whether or not a checksum is right", () => {
    const first = chunks[0]!;
    for (let length = 0; length < first.length; length += 997)
      expect(() => decode([first.subarray(0, length), ...chunks.slice(1)])).toThrow(MalformedError);
    for (let count = 0; count < chunks.length; count++)
      expect(() => decode(chunks.slice(0, count))).toThrow("ends in the middle");
  });

  test("are refused out of order, twice, and with something behind them", () => {
    expect(chunks.length).toBeGreaterThan(2);
    const [first, second, ...rest] = chunks;
    expect(() => decode([second!, first!, ...rest])).toThrow("not in its place");
    expect(() => decode([first!, first!, second!, ...rest])).toThrow("not in its place");
    expect(() => decode([first!, ...rest])).toThrow("not in its place");
    expect(() => decode([...chunks, chunks.at(-1)!])).toThrow("behind its end");
    expect(decode(chunks).live.size).toBe(20_000);
  });
});

/**
 * Of each part of a ledger all the fields that it has. A new one has to be written to a checkpoint, or made again from what
 * is, before it is entered here. (Fields of a ledger and of a task that are forgotten do not compile.)
 */
const FIELDS = {
  LedgerClock: ["lastStampMs", "lastWallMs", "nowMs"],
  RollingHash: ["high", "low"],
  Senders: ["byInstance"],
  CarriedRecords: ["bySeq"],
  Deadlines: ["dueAtMs", "fresh", "waitMs"],
  TaskTable: ["count", "hashes", "slots", "tasks", "turn"],
  Timers: ["fresh", "hasShort", "isLive", "keys", "sweepAt", "tasks"],
  SettledIndex: [
    "chunks",
    "count",
    "free",
    "isProbed",
    "kept",
    "largeCounts",
    "names",
    "order",
    "pinnedSlots",
    "table",
    "valueBytes",
    "verdicts",
  ],
  Names: ["known", "last"],
  NameTable: ["free", "names", "numbers", "uses"],
  SlotTable: ["hashes", "slots", "tags", "used"],
};

test("no part of a ledger has a field that a checkpoint does not know", () => {
  const found: Record<string, string[]> = {};
  const open: object[] = [newLedger()];
  for (let part = open.pop(); part !== undefined; part = open.pop()) {
    const fields = part as Record<string, unknown>;
    const name = part.constructor.name;
    if (name !== "Ledger") found[name] = Object.keys(fields).toSorted();
    for (const value of Object.values(fields)) {
      if (typeof value !== "object" || value === null) continue;
      if (!["Object", "Array", "Map", "Set", "Int32Array", "Uint8Array"].includes(value.constructor.name))
        open.push(value);
    }
  }
  expect(found).toEqual(FIELDS);
});
