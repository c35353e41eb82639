/** I6: a ledger that went through its bytes folds on as if it had not. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { Ledger } from "../src/core/ledger/index.ts";
import { checkInvariants } from "../src/core/ledger/invariants.ts";
import { encodeGraph, GraphDecoder } from "../src/shell/graph-codec.ts";
import { encodeLedger, oldestNeededSeq } from "../src/shell/ledger-state.ts";
import { steps } from "./ledger-steps.ts";
import { idOf, newLedger, submission, TestLog } from "./test-log.ts";

const OMITTED = new Set(["config", "effects"]);
const bytesOf = (ledger: Ledger): string => Buffer.concat([...encodeLedger(ledger)]).toString("base64");

function throughBytes(ledger: Ledger): Ledger {
  const decoder = new GraphDecoder(newLedger());
  for (const chunk of encodeGraph(ledger, OMITTED)) decoder.push(chunk);
  return decoder.done();
}

describe("a ledger that is read back from its bytes", () => {
  test("I6: folds on with the same effects to the same bytes, wherever the log is cut", () => {
    fc.assert(
      fc.property(steps, fc.nat(), (all, where) => {
        const log = new TestLog();
        log.elect();
        for (const act of all) act(log);
        const cut = where % (log.entries.length + 1);
        const whole = newLedger();
        for (const entry of log.entries.slice(0, cut)) whole.apply(entry);
        const restored = throughBytes(whole);
        expect(bytesOf(restored)).toBe(bytesOf(whole));
        for (const entry of log.entries.slice(cut)) {
          expect(restored.apply(entry)).toEqual(whole.apply(entry));
          expect(checkInvariants(restored)).toEqual([]);
        }
        expect(bytesOf(restored)).toBe(bytesOf(whole));
        expect(bytesOf(restored)).toBe(bytesOf(log.ledger));
        const needed = [
          ...[...restored.live.values()].map(({ submitted }) => submitted.seq),
          ...[...restored.settled.values()].flatMap(({ finish }) => (finish === null ? [] : [finish.seq])),
        ];
        expect(oldestNeededSeq(restored)).toBe(Math.min(restored.seq + 1, ...needed));
      }),
      { numRuns: 60 },
    );
  });

  test("tasks that wait for each other are the same tasks afterwards, in a chain longer than any stack", () => {
    const ledger = newLedger();
    const log = new TestLog();
    const tasks = Array.from({ length: 20_000 }, (_, i) => submission(i, i === 0 ? [] : [i - 1]));
    const { subject, record, stampMs } = ((): (typeof log.entries)[number] => {
      log.submit(tasks.slice(0, 1));
      const [first] = log.entries;
      if (first === undefined) throw new Error("nothing was submitted");
      return first;
    })();
    if (record?.type !== "submit") throw new Error("that was no submit");
    ledger.apply({ seq: 1, stampMs, subject, record: { ...record, tasks } });
    const chunks = [...encodeLedger(ledger)];
    expect(chunks.length).toBeGreaterThan(5);
    for (const chunk of chunks) expect(chunk.length).toBeLessThan(1024 * 1024);
    const restored = throughBytes(ledger);
    expect(restored.live.size).toBe(20_000);
    expect(restored.live.get(idOf(7))?.dependents[0] === restored.live.get(idOf(8))).toBe(true);
    expect(bytesOf(restored)).toBe(bytesOf(ledger));
  });

  test("values keep their kind: undefined, infinity, bytes, shared and circular ones", () => {
    class Part {
      readonly items: Map<string, unknown> = new Map();
      readonly double = (n: number): number => n * 2;
    }
    class Whole {
      readonly part = new Part();
      readonly alias: Map<string, unknown> = this.part.items;
      list: unknown[] = [];
      nothing: unknown = 1;
    }
    const whole = new Whole();
    const ring: unknown[] = [Number.POSITIVE_INFINITY, -0, undefined, null, new Set(["a"]), { deep: [1] }];
    ring.push(ring, Uint8Array.of(1, 2, 3), new Float64Array([1.5]));
    whole.part.items.set("ring", ring);
    whole.list = ring;
    whole.nothing = undefined;
    const fresh = new Whole();
    const before = fresh.part;
    const decoder = new GraphDecoder(fresh);
    for (const chunk of encodeGraph(whole, new Set())) decoder.push(chunk);
    const read = decoder.done();
    expect(read.part).toBe(before);
    expect(read.part.double(2)).toBe(4);
    expect(read.alias).toBe(read.part.items);
    expect(read.list).toBe(read.alias.get("ring"));
    expect(read.list[6]).toBe(read.list);
    expect(read.list.slice(0, 6)).toEqual(ring.slice(0, 6));
    expect([...(read.list[7] as Uint8Array)]).toEqual([1, 2, 3]);
    expect(read.nothing).toBeUndefined();
  });

  test("what cannot be found again is refused when it is written, not when it is read", () => {
    class Loose {
      readonly a = 1;
    }
    expect(() => [...encodeGraph({ list: [new Loose()] }, new Set())]).toThrow("a Loose cannot be part");
    expect(() => [...encodeGraph({ act: () => 1 }, new Set())]).toThrow("a function cannot be part");
  });

  test("bytes that end in the middle are no ledger", () => {
    const chunks = [...encodeGraph(new TestLog().ledger, OMITTED)];
    expect(() => new GraphDecoder(newLedger()).done()).toThrow("ends in the middle");
    const decoder = new GraphDecoder(newLedger());
    for (const chunk of chunks) decoder.push(chunk);
    expect(decoder.done()).toBeInstanceOf(Ledger);
  });
});
