import {
  type AttemptRef,
  decodeAsk,
  decodePresence,
  decodeReply,
  decodeWorkerMessage,
  encodeAsk,
  encodePresence,
  encodeWorkerMessage,
  type Presence,
  TaskId,
  type TaskName,
} from "@weft/protocol";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { packr } from "../src/packr.ts";
import { CODECS } from "./message-arbitraries.ts";

const ID = TaskId.create(0, 0);

describe.each(CODECS)("a $name", ({ sample, decode }) => {
  test("arrives as it was sent", () => {
    fc.assert(
      fc.property(sample, ({ message, wire }) => {
        expect(decode(wire)).toEqual({ ok: true, value: message });
      }),
    );
  });

  test("of another version is told as one", () => {
    fc.assert(
      fc.property(sample, ({ wire }) => {
        const [, ...rest] = packr.unpack(wire) as unknown[];
        const kind = "message version 2 is not 1";
        expect(decode(packr.pack([2, ...rest]))).toEqual({ ok: false, kind });
      }),
      { numRuns: 20 },
    );
  });
});

test("dependency values that differ in number from their ids are not taken", () => {
  const bytes = packr.pack([1, 1, 1, [[ID, 1, "t", "me", Buffer.of(), [[ID], []], null, null]], [], []]);
  expect(decodeWorkerMessage(bytes)).toEqual({
    ok: false,
    kind: "dependency ids and values differ in number",
  });
});

test("the root of a failed dependency is no failed dependency again: chains are not nested", () => {
  const inner = ["dependency_failed", [], 0, null];
  const task = packr.pack([ID, "t", "failed", 1, null, null, false, ["dependency_failed", [], 0, inner], 1]);
  expect(decodeReply(packr.pack([1, 1, 1, "states", [["settled", task]]]))).toEqual({
    ok: false,
    kind: "a root reason is a dependency again",
  });
});

const PRESENCE: Presence = {
  state: "ready",
  slots: 1,
  credits: 1,
  names: [],
  labels: [],
  host: "here",
  pid: 1,
  startedAtMs: 0,
  held: [],
  running: 0,
  graceMs: 0,
  epoch: 0,
  seen: 0,
  appendedSeq: 0,
};

describe("a message beyond its bounds is not taken", () => {
  const many = <T>(count: number, of: T): T[] => new Array<T>(count).fill(of);
  const held = many<AttemptRef>(20_001, { id: ID, attempt: 1 });
  test.each<[string, Partial<Presence>]>([
    ["credits is no count", { credits: 20_001 }],
    ["slots is no count", { slots: -1 }],
    ["held has more than 20000 items", { held }],
    ["names has more than 1000 items", { names: many(1_001, "t" as TaskName) }],
    ["labels has more than 32 items", { labels: many(33, "l") }],
    ["label is not well formed", { labels: ["a.b"] }],
    ["host is no text of at most 255", { host: "h".repeat(256) }],
    ["seen is no count", { seen: 0.5 }],
    ["seen is no count", { seen: Number.NaN }],
  ])("presence: %s", (kind, wrong) => {
    expect(decodePresence(encodePresence({ ...PRESENCE, ...wrong }))).toEqual({ ok: false, kind });
  });

  test("a question for more ids than an answer may hold", () => {
    const ask = (count: number) =>
      decodeAsk(encodeAsk({ afterSeq: 0, question: { type: "values", ids: many(count, ID) } }));
    expect(ask(5_000).ok).toBe(true);
    expect(ask(5_001)).toEqual({ ok: false, kind: "ids has more than 5000 items" });
  });

  test("a cancel with a reason that is too long", () => {
    const cancel = (reason: string) =>
      decodeWorkerMessage(
        encodeWorkerMessage({
          epoch: 1,
          number: 1,
          assignments: [],
          cancels: [{ id: ID, attempt: 1, reason }],
          aborts: [],
        }),
      );
    expect(cancel("r".repeat(1_000)).ok).toBe(true);
    expect(cancel("r".repeat(1_001))).toEqual({ ok: false, kind: "reason is no text of at most 1000" });
  });
});
