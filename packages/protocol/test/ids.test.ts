import {
  ControlSecret,
  Identity,
  InstanceId,
  isToken,
  Namespace,
  Nonce,
  PARTITIONS_MAX,
  Sender,
  TaskId,
  TaskName,
  UsageError,
} from "@weft/protocol";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { heldBytes } from "../../testing/src/index.ts";
import { sender, taskId, taskName, token } from "./arbitraries.ts";

const HOUR_MS = 3_600_000;
/** From 1970 for as long as four digits of hours reach, which is beyond the year 2160. */
const momentMs = fc.nat({ max: 36 ** 4 * HOUR_MS - 1 });
const partition = fc.nat({ max: PARTITIONS_MAX - 1 });

describe("a task id", () => {
  test("tells its partition and the hour of its creation", () => {
    fc.assert(
      fc.property(partition, momentMs, (number, nowMs) => {
        const id = TaskId.create(number, nowMs);
        expect(TaskId.is(id)).toBe(true);
        expect(TaskId.partition(id)).toBe(number);
        expect(TaskId.hourMs(id)).toBe(nowMs - (nowMs % HOUR_MS));
      }),
    );
  });

  test("sorts by the hour among those of one partition", () => {
    fc.assert(
      fc.property(momentMs, momentMs, (a, b) => {
        const [early, late] = [Math.min(a, b), Math.max(a, b)].map((ms) => TaskId.create(7, ms));
        if (early === undefined || late === undefined) throw new Error("an id is missing");
        if (TaskId.hourMs(early) < TaskId.hourMs(late)) expect(early < late).toBe(true);
      }),
    );
  });

  test("is one text of its characters, with nothing beside it: there may be a million of them", () => {
    const ids: TaskId[] = [];
    const before = heldBytes().heap;
    for (let n = 0; n < 20_000; n++) ids.push(TaskId.create(0, 0));
    // With its place in the list.
    expect((heldBytes().heap - before) / ids.length).toBeLessThan(60);
  });

  test("is not drawn twice", () => {
    const ids = new Set(Array.from({ length: 50_000 }, () => TaskId.create(0, 0)));
    expect(ids.size).toBe(50_000);
  });

  test("is drawn from all characters of tokens alike", () => {
    const counts = new Map<string, number>();
    for (let n = 0; n < 20_000; n++)
      for (const each of TaskId.create(0, 0).slice(6)) counts.set(each, (counts.get(each) ?? 0) + 1);
    expect(counts.size).toBe(64);
    // Of 5,000 each, seven times what they vary by.
    for (const count of counts.values()) expect(Math.abs(count - 5_000)).toBeLessThan(500);
  });

  test("is made of what the caller draws, behind its partition and its hour", () => {
    let code = 64;
    expect(TaskId.create(7, 36 * 3_600_000, () => ++code)).toBe("070010ABCDEFGHIJKLMNOP");
  });

  test("is a token, so that it may stand in a subject", () => {
    fc.assert(fc.property(taskId, (id) => void expect(isToken(TaskId.parse(id))).toBe(true)));
  });

  test.each([
    "",
    "00zzzz000000000000007",
    "00zzzz00000000000000077",
    "64zzzz0000000000000007",
    "0azzzz0000000000000007",
    "00ZZZZ0000000000000007",
    "00zzzz000000000000000.",
    "00zzzz000000000000000\n",
    "00zzzz0000000000000007\n",
  ])("is not %j", (text) => {
    expect(TaskId.is(text)).toBe(false);
    expect(() => TaskId.parse(text)).toThrow(`${JSON.stringify(text)} is not a task id`);
  });
});

describe("a name", () => {
  const tokens = { Namespace, Identity, InstanceId, Nonce, ControlSecret };

  test("of a task is lower case, digits, _ and -", () => {
    fc.assert(fc.property(taskName, (name) => void expect(TaskName.parse(name)).toBe(name)));
    for (const name of ["", "countPrimes", "a.b", "a b", "ü", "a".repeat(65), "a\n"])
      expect(() => TaskName.parse(name), name).toThrow(UsageError);
  });

  test.each(Object.entries(tokens))("of a %s is a token", (_, type) => {
    fc.assert(fc.property(token, (text) => void expect(type.parse(text)).toBe(text)));
    for (const text of ["", "a.b", "*", ">", "a b", "ü", "$JS", "a".repeat(65), "a\n"])
      expect(() => type.parse(text), text).toThrow(UsageError);
  });

  test("that is no text at all is refused in words", () => {
    for (const wrong of [undefined, null, 7, {}, ["a"], new String("a")]) {
      expect(() => TaskName.parse(wrong as never)).toThrow(/a task name must be .* instead of a text/);
      expect(() => Namespace.parse(wrong as never)).toThrow(/a namespace must be .* instead of a text/);
      expect(() => TaskId.parse(wrong as never)).toThrow(/instead of a text is not a task id/);
    }
  });

  test("that is huge is not repeated in full", () => {
    const messageOf = (attempt: () => unknown): string => {
      try {
        attempt();
        return "";
      } catch (error) {
        return String(error);
      }
    };
    const message = messageOf(() => Namespace.parse("x".repeat(1_000_000)));
    expect(message.length).toBeGreaterThan(0);
    expect(message.length).toBeLessThan(300);
  });
});

describe("a sender", () => {
  test("is its identity and its instance", () => {
    fc.assert(
      fc.property(token, token, (identity, instance) => {
        const from = Sender.of(Identity.parse(identity), InstanceId.parse(instance));
        expect([Sender.identity(from), Sender.instance(from)]).toEqual([identity, instance]);
        expect(Sender.parse(from)).toBe(from);
      }),
    );
    fc.assert(fc.property(sender, (from) => void expect(Sender.parse(from)).toBe(from)));
  });

  test.each(["", "a", "a.", ".b", "a.b.c", "a.*", "a b.c"])("is not %j", (text) => {
    expect(() => Sender.parse(text)).toThrow(UsageError);
  });
});

test("what is drawn is a token, and another one each time", () => {
  for (const type of [InstanceId, Nonce, ControlSecret]) {
    const drawn = Array.from({ length: 1_000 }, () => type.create());
    expect(drawn.every(isToken)).toBe(true);
    expect(new Set(drawn).size).toBe(1_000);
  }
});
