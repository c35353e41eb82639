import {
  decodeRecord,
  encodeRecord,
  LOG_KINDS,
  type LogRecord,
  SubmitRecordWriter,
  TaskId,
} from "@weft/protocol";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { packr } from "../src/packr.ts";
import { record } from "./arbitraries.ts";

const ID = TaskId.create(0, 0);
const submitOf = (...tasks: readonly unknown[]): Uint8Array => packr.pack([1, "c1", 1, tasks]);
const whyVoid = (kind: (typeof LOG_KINDS)[number], bytes: Uint8Array): string => {
  const read = decodeRecord(kind, bytes);
  return read.ok ? `sound: ${JSON.stringify(read.value)}` : read.kind;
};

describe("a record", () => {
  test("of every type is read as it was written", () => {
    const types = new Set<LogRecord["type"]>();
    fc.assert(
      fc.property(record, (each) => {
        types.add(each.type);
        expect(decodeRecord(each.type, encodeRecord(each))).toEqual({ ok: true, value: each });
      }),
      { numRuns: 500 },
    );
    expect(types).toEqual(new Set(["submit", "cancel", "received", "finish", "control"]));
  });

  test("of tasks that was written task by task is read as one that was written whole", () => {
    const writer = new SubmitRecordWriter();
    fc.assert(
      fc.property(record, (each) => {
        if (each.type !== "submit") return;
        writer.begin(each.instance, each.number);
        for (const task of each.tasks) writer.write(task);
        expect(decodeRecord("submit", writer.end())).toEqual({ ok: true, value: each });
      }),
      { numRuns: 500 },
    );
  });

  test("is the same bytes whenever it is written, so that a repeat is one", () => {
    fc.assert(
      fc.property(record, (each) => {
        const bytes = encodeRecord(each);
        const read = decodeRecord(each.type, bytes);
        expect(read.ok && Buffer.compare(encodeRecord(read.value), bytes)).toBe(0);
      }),
    );
  });

  test("of a newer version is void, and said to be newer", () => {
    for (const kind of LOG_KINDS) {
      expect(whyVoid(kind, packr.pack([2, "c1", 1, []]))).toBe("version 2 is newer than 1");
      expect(whyVoid(kind, packr.pack([2, { a: "wholly different" }]))).toBe("version 2 is newer than 1");
    }
    expect(whyVoid("submit", packr.pack([0, "c1", 1, []]))).toBe("version is unknown");
  });

  test("of later code that adds fields at the end is still read", () => {
    expect(decodeRecord("cancel", packr.pack([1, "c1", 1, [[ID, null, true, "more"]], "more"]))).toEqual({
      ok: true,
      value: {
        type: "cancel",
        instance: "c1",
        number: 1,
        cancels: [{ id: ID, reason: null, dependents: true }],
      },
    });
  });

  test("of another partition's words is void", () => {
    expect(whyVoid("peer", packr.pack([1, "c1", 1]))).toBe(
      "peer records belong to clusters of several partitions",
    );
  });
});

describe("a record is void as a whole where any part of it is wrong:", () => {
  const args = Buffer.of(1);
  test.each<[string, readonly unknown[]]>([
    ["task id is not well formed", ["nonsense", "t", args, [], null]],
    ["task id is not well formed", ["64zzzz0000000000000007", "t", args, [], null]],
    ["task name is not well formed", [ID, "countPrimes", args, [], null]],
    ["arguments is no bytes", [ID, "t", "text", [], null]],
    ["dependencies is no array", [ID, "t", args, null, null]],
    ["task id is no text", [ID, "t", args, [ID, 7], null]],
    ["options is no map", [ID, "t", args, [], 7]],
    ["an option is unknown", [ID, "t", args, [], { urgent: true }]],
    ["priority is no integer", [ID, "t", args, [], { priority: 0.5 }]],
    ["priority is no integer", [ID, "t", args, [], { priority: Number.POSITIVE_INFINITY }]],
    ["label is not well formed", [ID, "t", args, [], { labels: ["a b"] }]],
    ["parent attempt is no count", [ID, "t", args, [], { parent: [ID, -1] }]],
    ["retry strategy is unknown", [ID, "t", args, [], { retry: ["once", 3, 0, 1, 0, 0, []] }]],
    ["maximum attempts is no number of tries", [ID, "t", args, [], { retry: ["fixed", 0, 0, 1, 0, 0, []] }]],
    ["maximum attempts is no count", [ID, "t", args, [], { retry: ["fixed", 10_001, 0, 1, 0, 0, []] }]],
    ["backoff coefficient is out of range", [ID, "t", args, [], { retry: ["fixed", 3, 0, 0.5, 0, 0, []] }]],
    [
      "backoff coefficient is out of range",
      [ID, "t", args, [], { retry: ["fixed", 3, 0, Number.NaN, 0, 0, []] }],
    ],
    ["jitter is no count", [ID, "t", args, [], { retry: ["fixed", 3, 0, 1, 0, 1_001, []] }]],
    [
      "name of an error is no text of at most 64",
      [ID, "t", args, [], { retry: ["fixed", 3, 0, 1, 0, 0, [7]] }],
    ],
    ["time-out is no time at all", [ID, "t", args, [], { timeoutMs: 0 }]],
    ["queue time-out is no count", [ID, "t", args, [], { queueTimeoutMs: 2_073_600_001 }]],
    ["deadline is no count", [ID, "t", args, [], { deadlineMs: -1 }]],
    ["keepResult is no boolean", [ID, "t", args, [], { keepResult: 1 }]],
    ["traceparent is no text of at most 64", [ID, "t", args, [], { traceparent: "0".repeat(65) }]],
  ])("%s", (kind, task) => {
    const sound = [ID, "t", args, [], null];
    expect(decodeRecord("submit", submitOf(sound)).ok).toBe(true);
    expect(whyVoid("submit", submitOf(sound, task))).toBe(kind);
  });

  test.each<[string, Parameters<typeof whyVoid>[0], readonly unknown[]]>([
    ["instance is not well formed", "submit", [1, "a.b", 1, []]],
    ["record number is no count", "submit", [1, "c1", -1, []]],
    ["record number is no count", "submit", [1, "c1", 1n, []]],
    ["tasks is no array", "submit", [1, "c1", 1, { length: 1 }]],
    ["finish is no array", "finish", [1, "c1", 1, [7]]],
    ["outcome is unknown", "finish", [1, "c1", 1, [[ID, 1, "skipped", true, null, null, null]]]],
    ["started is no boolean", "finish", [1, "c1", 1, [[ID, 1, "failed", 1, null, null, null]]]],
    ["value is no bytes", "finish", [1, "c1", 1, [[ID, 1, "failed", true, null, "text", null]]]],
    ["failure is no array", "finish", [1, "c1", 1, [[ID, 1, "failed", true, null, null, "failed"]]]],
    [
      "retry after is no count",
      "finish",
      [1, "c1", 1, [[ID, 1, "failed", true, null, null, ["E", true, -1]]]],
    ],
    ["reason is no text of at most 1000", "cancel", [1, "c1", 1, [[ID, "r".repeat(1_001), false]]]],
    ["dependents is no boolean", "cancel", [1, "c1", 1, [[ID, null, null]]]],
    ["control event is unknown", "control", [1, "c1", 1, 1, 1, 1, ["promoted"]]],
    ["nonce is not well formed", "control", [1, "c1", 1, 1, 1, 1, ["elected", "*"]]],
    ["lost worker is not well formed", "control", [1, "c1", 1, 1, 1, 1, ["lost", [[ID, 1, true, "w"]]]]],
    ["limit is unknown", "control", [1, "c1", 1, 1, 1, 1, ["expired", [[ID, 1, "deadline"]]]]],
    ["wall clock is no count", "control", [1, "c1", 1, 1, Number.NaN, 1, ["tick"]]],
    ["message is no array", "submit", { 0: 1 } as never],
  ])("%s (%s)", (why, kind, wire) => expect(whyVoid(kind, packr.pack(wire))).toBe(why));

  test("more items or dependencies than there may be", () => {
    const task = (dependencies: number) => [ID, "t", args, new Array(dependencies).fill(ID), null];
    expect(decodeRecord("submit", submitOf(task(25_000))).ok).toBe(true);
    expect(whyVoid("submit", submitOf(task(25_001)))).toBe("dependencies has more than 25000 items");
    const many = new Array(10_001).fill([ID, null, false]);
    expect(decodeRecord("cancel", packr.pack([1, "c1", 1, many.slice(1)])).ok).toBe(true);
    expect(whyVoid("cancel", packr.pack([1, "c1", 1, many]))).toBe("cancels has more than 10000 items");
  });
});
