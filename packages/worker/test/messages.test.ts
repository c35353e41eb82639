/** What threads and processes send, cut into pieces and with anything in it: it is read whole, or not at all. */
import { encodeValue, TaskName, VALUE_BYTES_MAX } from "@weft/protocol";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  FRAME_BYTES_MAX,
  FrameReader,
  framesFromInside,
  framesToInside,
  InsideReader,
  messageOf,
  PART_BYTES,
} from "../src/executors/frames.ts";
import { LastLines, LINE_LENGTH_MAX, LineReader } from "../src/executors/lines.ts";
import { type FromInside, readFromInside, type ToInside } from "../src/executors/messages.ts";
import { inheritedArguments } from "../src/executors/process-arguments.ts";
import { taskId } from "./assignment.ts";

const bytes = (text: string): Uint8Array => new Uint8Array(Buffer.from(text));
const fraction = fc.double({ min: 0, max: 1, noNaN: true });
const job = fc.nat();
const level = fc.constantFrom("debug" as const, "info" as const, "warn" as const, "error" as const);
const progress = fc.record({ fraction, message: fc.string({ maxLength: 1_000 }), data: fc.constant([1]) });
const failure = fc.record({
  errorName: fc.string({ maxLength: 64 }),
  nonRetryable: fc.boolean(),
  retryAfterMs: fc.option(fc.nat({ max: 2_073_600_000 })),
});
const fromInside: fc.Arbitrary<FromInside> = fc.oneof(
  fc.tuple(job, progress).map(([job, each]) => ({ type: "progress" as const, job, ...each })),
  fc.record({
    type: fc.constant("log" as const),
    job,
    level,
    message: fc.string(),
    data: fc.constantFrom<unknown>(undefined, null, 1, "x", { a: [1n] }),
  }),
  fc.record({ type: fc.constant("uncaught" as const), job, value: fc.uint8Array(), failure }),
  fc.record({
    type: fc.constant("ended" as const),
    job,
    end: fc.oneof(
      fc.constant({ outcome: "cancelled" as const, value: null, failure: null }),
      fc.record({
        outcome: fc.constant("succeeded" as const),
        value: fc.uint8Array(),
        failure: fc.constant(null),
      }),
      fc.record({ outcome: fc.constant("failed" as const), value: fc.uint8Array(), failure }),
    ),
    progress: fc.option(progress),
  }),
);

function cut(whole: Uint8Array, at: readonly number[]): Uint8Array[] {
  const places = [0, ...at.map((each) => each % (whole.length + 1)).sort((a, b) => a - b), whole.length];
  return places.slice(1).map((place, i) => whole.subarray(places[i], place));
}

describe("messages in frames", () => {
  test("arrive as they were sent, however the pipe cuts them", () => {
    fc.assert(
      fc.property(fc.array(fromInside), fc.array(fc.nat()), (messages, cuts) => {
        const reader = new FrameReader();
        const whole = Buffer.concat(messages.flatMap(framesFromInside));
        const frames = cut(whole, cuts).flatMap((chunk) => reader.read(chunk) ?? []);
        expect(frames.map(messageOf)).toEqual(messages);
      }),
    );
  });

  test("to the inside arrive with all their values, however the pipe cuts them", () => {
    const input = {
      id: taskId(1),
      name: TaskName.parse("x"),
      attempt: 2,
      args: encodeValue("the arguments", "it"),
      deps: [encodeValue(1, "it"), null, new Uint8Array(), new Uint8Array(2 * PART_BYTES + 7).fill(3)],
    };
    const messages: ToInside[] = [
      { type: "run", job: 1, isAhead: false, moduleUrl: "file:///tasks.ts", input },
      { type: "stop", job: 1, request: { type: "cancelled", reason: null } },
      { type: "run", job: 2, isAhead: false, moduleUrl: "file:///tasks.ts", input: { ...input, deps: [] } },
    ];
    const whole = Buffer.concat(messages.flatMap(framesToInside));
    fc.assert(
      fc.property(fc.array(fc.nat()), (cuts) => {
        const reader = new InsideReader();
        const read = cut(whole, cuts).flatMap((chunk) => reader.read(chunk));
        expect(JSON.stringify(read)).toBe(JSON.stringify(messages.map(withBuffers)));
      }),
      { numRuns: 3 },
    );
  });

  test("that are none, of anybody's bytes, are no message, and never more is kept than one may have", () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 40 })), (chunks) => {
        const reader = new FrameReader();
        for (const chunk of chunks) {
          const frames = reader.read(chunk);
          if (frames === null) return;
          for (const frame of frames) messageOf(frame);
        }
      }),
      { numRuns: 1_000 },
    );
    const long = Buffer.alloc(8);
    long.writeUInt32BE(FRAME_BYTES_MAX + 1);
    expect(new FrameReader().read(long)).toBeNull();
    const short = Buffer.alloc(8);
    short.writeUInt32BE(7);
    expect(new FrameReader().read(short)).toBeNull();
  });
});

/** As what has come through a pipe. */
function withBuffers(message: ToInside): unknown {
  if (message.type === "stop") return message;
  const { args, deps, ...facts } = message.input;
  const input = { ...facts, args: Buffer.from(args), deps: deps.map((dep) => dep && Buffer.from(dep)) };
  return { ...message, input };
}

describe("what comes from inside", () => {
  const cycle: { self?: unknown } = {};
  cycle.self = cycle;
  const value = bytes("x");
  const failed = { errorName: "Error", nonRetryable: false, retryAfterMs: null };
  const ended = (end: unknown): unknown => ({ type: "ended", job: 1, end, progress: null });
  test.each<[unknown]>([
    [null],
    [[]],
    [{ type: "progress", job: 1.5, fraction: 0 }],
    [{ type: "progress", job: 1, fraction: "0" }],
    [{ type: "progress", job: 1, fraction: 0, data: cycle }],
    [{ type: "progress", job: 1, fraction: 0, data: 1n }],
    [{ type: "progress", job: 1, fraction: 0, data: "x".repeat(20_000) }],
    [{ type: "progress", job: 1, fraction: 0, message: "x".repeat(1_001) }],
    [{ type: "log", job: 1, level: "constructor", message: "x" }],
    [{ type: "log", job: 1, level: "info", message: { toString: 1 } }],
    [{ type: "uncaught", job: 1, value: "x", failure: failed }],
    [{ type: "uncaught", job: 1, value }],
    [{ type: "ended", job: 1, progress: null }],
    [{ type: "ended", job: 1, end: { outcome: "succeeded", value: null, failure: null }, progress: null }],
    [{ type: "ended", job: 1, end: { outcome: "succeeded", value: [1], failure: null }, progress: null }],
    [{ type: "ended", job: 1, end: { outcome: "returned", value, failure: null }, progress: null }],
    [
      {
        type: "ended",
        job: 1,
        end: { outcome: "failed", value, failure: failed },
        progress: { fraction: -1 },
      },
    ],
    [{ type: "ended", job: 1, end: { outcome: "failed", value, failure: failed } }],
    [ended({ outcome: "failed", value, failure: null })],
    [ended({ outcome: "succeeded", value, failure: failed })],
    [ended({ outcome: "failed", value, failure: { ...failed, errorName: "E".repeat(65) } })],
    [ended({ outcome: "failed", value, failure: { ...failed, nonRetryable: 1 } })],
    [ended({ outcome: "failed", value, failure: { ...failed, retryAfterMs: -1 } })],
    [ended({ outcome: "failed", value, failure: { ...failed, retryAfterMs: 2_073_600_001 } })],
  ])("and is no message is none: %o", (message) => {
    expect(readFromInside(message)).toBeNull();
  });

  test("and is more than a value may be is none", () => {
    const large = new Uint8Array(VALUE_BYTES_MAX + 1);
    expect(readFromInside(ended({ outcome: "failed", value: large, failure: failed }))).toBeNull();
  });
});

describe("lines that a process writes", () => {
  test("are read whole, however the pipe cuts them, also within a character", () => {
    const text = "first\r\n\nthe 語 third\nnot ended";
    fc.assert(
      fc.property(fc.array(fc.nat()), (cuts) => {
        const lines: string[] = [];
        const reader = new LineReader((line) => void lines.push(line));
        for (const chunk of cut(bytes(text), cuts)) reader.read(chunk);
        reader.end();
        expect(lines).toEqual(["first", "", "the 語 third", "not ended"]);
      }),
    );
  });

  test("are cut where they are longer than people read", () => {
    const lines: string[] = [];
    const reader = new LineReader((line) => void lines.push(line));
    for (let i = 0; i < 1_000; i++) reader.read(bytes("x".repeat(1_000)));
    reader.read(bytes("\nnext\n"));
    expect(lines).toEqual([
      `${"x".repeat(LINE_LENGTH_MAX)}… (${1_000_000 - LINE_LENGTH_MAX} characters more)`,
      "next",
    ]);
  });

  test("are remembered as far as they fit, the last ones", () => {
    const last = new LastLines(10);
    for (const line of ["one", "two", "three"]) last.add(line);
    expect(last.text).toBe("two\nthree");
    last.add("a line that does not fit");
    expect(last.text).toBe("a line tha");
    last.clear();
    expect(last.text).toBe("");
  });
});

test("a process inherits the worker's options of Node, but not its debugger, its code and its heap", () => {
  const given = [
    "--import",
    "./loader.mjs",
    "--inspect-brk=0",
    "-C",
    "dev",
    "--max-old-space-size=9",
    "-e",
    "code",
  ];
  expect(inheritedArguments(given)).toEqual(["--import", "./loader.mjs", "-C", "dev"]);
  expect(inheritedArguments(["--eval=x", "--watch-path=.", "--print", "x", "--enable-source-maps"])).toEqual([
    "--enable-source-maps",
  ]);
});
