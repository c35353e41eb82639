import {
  type ControlSecret,
  type Identity,
  inboxPrefix,
  isToken,
  LOG_KINDS,
  lastToken,
  Namespace,
  type Sender,
  Subjects,
  senderOf,
  type TaskName,
  taskEventOf,
  UsageError,
} from "@weft/protocol";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { sender, taskId, token } from "./arbitraries.ts";

const subjects = new Subjects(Namespace.parse("shop"));
const partition = fc.nat({ max: 63 });
const kind = fc.constantFrom("submit" as const, "cancel" as const, "finish" as const, "peer" as const);

/** What NATS itself asks of the subject of a message: tokens without blanks and wildcards. */
const PUBLISHABLE = /^[^\s.*>]+(\.[^\s.*>]+)*$/;

/** Whether NATS delivers a subject to a pattern. */
function covers(pattern: string, subject: string): boolean {
  const wanted = pattern.split(".");
  const given = subject.split(".");
  const rest = wanted.at(-1) === ">";
  if (rest ? given.length < wanted.length : given.length !== wanted.length) return false;
  return (rest ? wanted.slice(0, -1) : wanted).every((each, at) => each === "*" || each === given[at]);
}

describe("a subject of the log", () => {
  test("is parsed into what it was built from", () => {
    fc.assert(
      fc.property(token, partition, kind, sender, (namespace, number, which, from) => {
        const own = new Subjects(Namespace.parse(namespace));
        const subject = own.log(number, which, from);
        expect(subject).toMatch(PUBLISHABLE);
        expect(covers(own.logAll(number), subject)).toBe(true);
        expect(own.parseLog(number, subject)).toEqual({ kind: which, sender: from });
      }),
    );
  });

  test("of control carries its secret", () => {
    fc.assert(
      fc.property(partition, token, (number, secret) => {
        const subject = subjects.control(number, secret as ControlSecret);
        expect(covers(subjects.logAll(number), subject)).toBe(true);
        expect(subjects.parseLog(number, subject)).toEqual({ kind: "control", secret });
      }),
    );
  });

  test("of another namespace or partition is none", () => {
    const from = "me.i1" as Sender;
    expect(subjects.parseLog(1, subjects.log(0, "submit", from))).toBeNull();
    expect(subjects.parseLog(1, subjects.log(10, "submit", from))).toBeNull();
    expect(subjects.parseLog(0, new Subjects(Namespace.parse("shop2")).log(0, "submit", from))).toBeNull();
  });

  test.each([
    "",
    "weft.v1.shop.log.0",
    "weft.v1.shop.log.0.",
    "weft.v1.shop.log.0.submit",
    "weft.v1.shop.log.0.submit.me",
    "weft.v1.shop.log.0.submit.me.i1.more",
    "weft.v1.shop.log.0.submit..i1",
    "weft.v1.shop.log.0.submit.me.*",
    "weft.v1.shop.log.0.other.me.i1",
    "weft.v1.shop.log.0.control",
    "weft.v1.shop.log.0.control.",
    "weft.v1.shop.log.0.control.secret.more",
    "weft.v2.shop.log.0.submit.me.i1",
    "weft.v1.shop.event.0.submit.me.i1",
  ])("is not taken from what only looks like one: %s", (subject) =>
    expect(subjects.parseLog(0, subject)).toBeNull(),
  );

  test("is null or what it was built from, for any text behind the prefix", () => {
    const rest = fc.array(fc.oneof(fc.constantFrom(...LOG_KINDS), fc.string({ maxLength: 4 })), {
      maxLength: 4,
    });
    fc.assert(
      fc.property(rest, (tokens) => {
        const subject = `weft.v1.shop.log.0.${tokens.join(".")}`;
        const parsed = subjects.parseLog(0, subject);
        if (parsed === null) return;
        const again =
          parsed.kind === "control"
            ? subjects.control(0, parsed.secret)
            : subjects.log(0, parsed.kind, parsed.sender);
        expect(again).toBe(subject);
      }),
      { numRuns: 1_000 },
    );
  });
});

describe("a subject that is subscribed to as a whole", () => {
  const from = "me.i1" as Sender;
  const task = fc.sample(taskId, 1)[0];
  if (task === undefined) throw new Error("no task id was drawn");
  test.each([
    ["presence", subjects.presence(from), subjects.presenceAll()],
    ["ask", subjects.ask(3, from), subjects.askAll(3)],
    ["hello", subjects.hello(3), subjects.helloAll()],
    ["progress", subjects.progress("me" as Identity, task), subjects.progressAll()],
    [
      "progress of an owner",
      subjects.progress("me" as Identity, task),
      subjects.progressOf("me" as Identity),
    ],
    ["progress of a task", subjects.progress("me" as Identity, task), subjects.progressOn(task)],
    ["worker event", subjects.workerEvent("lost"), subjects.eventAll()],
    ["coordinator event", subjects.coordinatorEvent("elected"), subjects.eventAll()],
  ])("covers each single one: %s", (_, single, pattern) => {
    expect(single).toMatch(PUBLISHABLE);
    expect(covers(pattern, single)).toBe(true);
    expect(covers(pattern, single.replace("weft.v1.shop.", "weft.v1.shop2."))).toBe(false);
  });

  test("is never one of the log, whose records are kept", () => {
    const all = [
      subjects.presence(from),
      subjects.ask(0, from),
      subjects.worker(from),
      subjects.client(from),
    ];
    const more = [subjects.probe(from), subjects.hello(0), subjects.progress("me" as Identity, task)];
    for (const subject of [...all, ...more, inboxPrefix(from), subjects.workerEvent("joined")])
      expect(covers(subjects.logAll(0), subject)).toBe(false);
  });
});

describe("the sender of a subject", () => {
  test("is its last two tokens", () => {
    fc.assert(
      fc.property(sender, partition, (from, number) => {
        for (const subject of [subjects.presence(from), subjects.ask(number, from), subjects.worker(from)])
          expect(senderOf(subject)).toBe(from);
      }),
    );
    expect(senderOf("one")).toBeNull();
    expect(senderOf("a.b.")).toBeNull();
    expect(senderOf("a.*.c")).toBeNull();
  });

  test("is told from any text, or null", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), (subject) => {
        const from = senderOf(subject);
        if (from !== null) expect(from.split(".").every(isToken)).toBe(true);
      }),
    );
  });
});

test("the last token of a progress subject is its task", () => {
  fc.assert(
    fc.property(token, taskId, (owner, task) => {
      expect(lastToken(subjects.progress(owner as Identity, task))).toBe(task);
    }),
  );
});

test("the subject of a task's event says which tasks it is about, and no other subject does", () => {
  fc.assert(
    fc.property(token, token, (state, name) => {
      expect(taskEventOf(subjects.taskEvent(state, name as TaskName))).toEqual({ state, name });
    }),
  );
  for (const subject of ["", "task", subjects.workerEvent("lost"), subjects.taskEvent("", "a" as TaskName)])
    expect(taskEventOf(subject)).toBeNull();
});

test("a namespace that would reach into another's subjects is refused", () => {
  for (const name of ["", "a.b", "*", ">", "a b", "ü", "a".repeat(65), "a\n"])
    expect(() => Namespace.parse(name), name).toThrow(UsageError);
});
