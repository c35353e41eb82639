/** How values get to the end of the log: read record by record, and appended in records that are not too large. */
import { type Carried, RECORD_BYTES_TARGET } from "@weft/protocol";
import { beforeEach, expect, test } from "vitest";
import { Dice } from "../../testing/src/simulation/dice.ts";
import { SimLoop, SimProcess } from "../../testing/src/simulation/index.ts";
import type { CarryFacts } from "../src/core/ledger/index.ts";
import { Carrier } from "../src/shell/carrier.ts";
import { idOf, submission, TestLog } from "./test-log.ts";

const ARGS_BYTES = 100_000;
let log: TestLog;
let loop: SimLoop;
let batches: (readonly Carried[])[];
/** Whether the leader still leads: else nothing is appended. */
let leads: boolean;
let carrier: Carrier;

beforeEach(() => {
  log = new TestLog();
  log.elect();
  loop = new SimLoop();
  batches = [];
  leads = true;
  carrier = new Carrier({
    clock: new SimProcess("k1", loop, new Dice(1)).clock,
    ledger: log.ledger,
    values: {
      record: async (seq) => {
        const record = log.entries[seq - 1]?.record ?? null;
        return record;
      },
    },
    append: async (carried) => {
      batches.push(carried);
      if (leads) log.control({ type: "carry", carried });
    },
  });
});

/** Six old tasks in three records, and much behind them that nobody needs. */
function facts(): CarryFacts {
  const large = (id: number) => ({ ...submission(id), args: new Uint8Array(ARGS_BYTES).fill(id) });
  for (const first of [1, 3, 5]) log.submit([large(first), large(first + 1)]);
  for (let i = 0; i < 100; i++) log.tick();
  return { purgeableSeq: log.ledger.seq, recordBytes: 1e6, freedBytesMin: 1, carriedBytesMax: 1e7 };
}

test("values are appended as they were, in records of a bounded size", async () => {
  expect(await carrier.carry(facts())).toBe(6);
  expect(batches.map((batch) => batch.length)).toEqual([2, 2, 2]);
  for (const { id, value } of batches.flat()) {
    const number = Number(id.slice(6));
    expect(id).toBe(idOf(number));
    expect(value).toEqual(new Uint8Array(ARGS_BYTES).fill(number));
  }
  expect(2 * ARGS_BYTES).toBeLessThan(RECORD_BYTES_TARGET);
  expect(await carrier.carry({ ...facts(), freedBytesMin: 1e12 })).toBe(0);
});

test("no more is read and appended at once than may be, and the next time it goes on from there", async () => {
  const some = { ...facts(), carriedBytesMax: ARGS_BYTES };
  expect(await carrier.carry(some)).toBe(2);
  expect(await carrier.carry(some)).toBe(2);
  const numbers = batches.map((batch) => batch.map(({ id }) => Number(id.slice(6))));
  expect(numbers).toEqual([
    [1, 2],
    [3, 4],
  ]);
});

test("the place that a value had is kept until no power cut can take away the one that it has", async () => {
  const all = facts();
  expect(carrier.oldestFreshSeq(1_000)).toBe(Number.POSITIVE_INFINITY);
  await carrier.carry(all);
  const [first] = batches.flat();
  expect(carrier.oldestFreshSeq(1_000)).toBe(first?.seq);
  expect(carrier.oldestFreshSeq(0)).toBe(Number.POSITIVE_INFINITY);
});

test("also while time passes, and no longer", async () => {
  await carrier.carry({ ...facts(), carriedBytesMax: ARGS_BYTES });
  await loop.play(600);
  await carrier.carry({ ...facts(), carriedBytesMax: ARGS_BYTES });
  const [first, second] = batches.map(([each]) => each?.seq);
  expect(carrier.oldestFreshSeq(1_000)).toBe(first);
  await loop.play(1_200);
  expect(carrier.oldestFreshSeq(1_000)).toBe(second);
});

test("one that is deposed moves nothing", async () => {
  leads = false;
  await carrier.carry(facts());
  expect(log.ledger.carried.size).toBe(0);
});
