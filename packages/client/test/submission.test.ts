/** What is wrong with a call is said before anything is sent, and what is right is not changed by what comes after. */
import {
  DEPENDENCIES_MAX,
  decodeRecord,
  decodeValue,
  EncodingError,
  encodeRecord,
  InstanceId,
  PayloadTooLargeError,
  type Submission,
  TaskId,
  UsageError,
  VALUE_BYTES_MAX,
} from "@weft/protocol";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { bytesOfSubmission, submissionOf } from "../src/submission.ts";
import type { SubmitOptions } from "../src/submit-options.ts";
import { handleOf } from "./handle-host.ts";

const NOW_MS = 1_700_000_000_000;
const newId = (): TaskId => TaskId.create(0, NOW_MS);
const source = { newId, wallMs: () => NOW_MS };
const submit = (input: unknown, options: SubmitOptions = {}, name = "echo"): Submission =>
  submissionOf(name, input, options, source);

/** As it travels. */
const recordOf = (...tasks: readonly Submission[]): Uint8Array =>
  encodeRecord({ type: "submit", instance: InstanceId.create(), number: 1, tasks });

/** As the log has it. */
function sent(submission: Submission): Submission {
  const read = decodeRecord("submit", recordOf(submission));
  if (!read.ok || read.value.type !== "submit" || read.value.tasks[0] === undefined) throw new Error("void");
  return read.value.tasks[0];
}

describe("an input", () => {
  const cycle: { list: unknown[] } = { list: [] };
  cycle.list.push(cycle);
  const { handle } = handleOf();
  const wrong: readonly (readonly [string, unknown, string])[] = [
    ["a function", () => 1, "it is a function"],
    ["a function inside", { on: { click: () => 1 } }, "its .on.click is a function"],
    ["a symbol", [Symbol("s")], "its [0] is a symbol"],
    ["a cycle", cycle, "its .list[0] is a reference back to itself"],
    ["a promise", { users: Promise.resolve(1) }, "its .users is a Promise, await it first"],
    ["a Map", new Map(), "it is a Map"],
    ["a Set", { tags: new Set() }, "its .tags is a Set"],
    ["an Error", [new Error("x")], "its [0] is a Error"],
  ];
  test.each(wrong)("of %s cannot be encoded, and the place is named", (_what, input, message) => {
    expect(() => submit(input)).toThrow(EncodingError);
    expect(() => submit(input)).toThrow(message);
  });

  test("of a handle, wherever in it, says what to pass instead", () => {
    for (const input of [handle, [handle], { users: { of: handle } }]) {
      expect(() => submit(input)).toThrow(UsageError);
      expect(() => submit(input)).toThrow("pass its `id`, or name it in `dependsOn`");
    }
  });

  test("nested without end is refused before a stack overflows", () => {
    let deep: unknown = 1;
    for (let i = 0; i < 100_000; i++) deep = [deep];
    expect(() => submit(deep)).toThrow(EncodingError);
  });

  test("above the limit is refused with both sizes", () => {
    const refused = (): unknown => submit(new Uint8Array(VALUE_BYTES_MAX + 1));
    expect(refused).toThrow(PayloadTooLargeError);
    expect(refused).toThrow(`the input of task "echo" takes ${VALUE_BYTES_MAX + 1} bytes encoded`);
  });

  test("of nothing is no null", () => {
    expect(decodeValue(submit(undefined).args)).toBeUndefined();
    expect(submit(undefined).args).toHaveLength(0);
    expect(decodeValue(submit(null).args)).toBeNull();
  });

  test("is what it was when it was submitted", () => {
    const input = { rows: [1] };
    const { args } = submit(input);
    input.rows.push(2);
    expect(decodeValue(args)).toEqual({ rows: [1] });
  });
});

describe("a name", () => {
  test.each(["", "Echo", "a b", "a.b", "a/b", "*", ">", "$SYS", "é", "a\n", " a", "x".repeat(65)])(
    "%j is refused",
    (name) => {
      expect(() => submit(1, {}, name)).toThrow(UsageError);
    },
  );
  test.each([undefined, null, 5, {}, ["echo"], Symbol("s")])("that is no text is refused: %s", (name) => {
    expect(() => submissionOf(name as never, 1, {}, source)).toThrow(UsageError);
  });
});

describe("options", () => {
  const wrong: readonly (readonly [string, unknown])[] = [
    ["null", null],
    ["a text", "echo"],
    ["an option that there is not", { prioritty: 1 }],
    ["a priority with a fraction", { priority: 0.5 }],
    ["no number as priority", { priority: "5" }],
    ["NaN as priority", { priority: Number.NaN }],
    ["an endless priority", { priority: Number.POSITIVE_INFINITY }],
    ["a label that is no word", { labels: ["gpu gpu"] }],
    ["a label that is empty", { labels: [""] }],
    ["a label that is no text", { labels: [1] }],
    ["labels that are no list", { labels: "gpu" }],
    ["too many labels", { labels: Array.from({ length: 33 }, (_, i) => `l${i}`) }],
    ["an id that is none", { id: "mine" }],
    ["an id that is no text", { id: 5 }],
    ["a dependency that is no id", { dependsOn: ["mine"] }],
    ["a dependency that is missing", { dependsOn: [undefined] }],
    ["a dependency that is null", { dependsOn: [null] }],
    ["a promise as dependency", { dependsOn: [Promise.resolve(1)] }],
    ["one handle as dependencies", { dependsOn: handleOf().handle }],
    ["one id as dependencies", { dependsOn: newId() }],
    ["too many dependencies", { dependsOn: Array(DEPENDENCIES_MAX + 1).fill(newId()) }],
  ];
  test.each(wrong)("of %s are refused as usage", (_what, options) => {
    expect(() => submit(1, options as SubmitOptions)).toThrow(UsageError);
  });

  test("arrive as they were given, in order", () => {
    const { handle } = handleOf();
    const [one, two] = [newId(), newId()];
    const submission = sent(
      submit(1, { dependsOn: [two, handle, one], priority: -3, labels: ["gpu"], id: one }),
    );
    expect(submission).toMatchObject({ id: one, name: "echo", dependsOn: [two, handle.id, one] });
    expect(submission.options).toMatchObject({ priority: -3, labels: ["gpu"] });
  });

  test("that say nothing take no room", () => {
    const nothing = [{}, { priority: 0, labels: [], dependsOn: [] }, { priority: undefined, id: undefined }];
    for (const options of nothing) expect(submit(1, options as SubmitOptions).options).toBeNull();
  });

  test("are what they were when the task was submitted", () => {
    const dependsOn = [newId()];
    const labels = ["gpu"];
    const submission = submit(1, { dependsOn, labels });
    dependsOn.push(newId());
    labels[0] = "not a word";
    expect(submission.dependsOn).toHaveLength(1);
    expect(sent(submission).options?.labels).toEqual(["gpu"]);
  });

  test("may name as many dependencies as there may be, and the record still fits", () => {
    const dependsOn = Array.from({ length: DEPENDENCIES_MAX }, newId);
    expect(sent(submit("x".repeat(50_000), { dependsOn })).dependsOn).toEqual(dependsOn);
  });

  test("whatever they are, are taken whole or refused as usage", () => {
    const maybe = fc.option(
      fc.record(
        {
          dependsOn: fc.oneof(fc.anything(), fc.array(fc.anything())),
          priority: fc.anything(),
          labels: fc.oneof(fc.anything(), fc.array(fc.anything())),
          id: fc.anything(),
        },
        { requiredKeys: [] },
      ),
    );
    fc.assert(
      fc.property(fc.anything(), maybe, (name, options) => {
        try {
          const submission = submissionOf(name as string, 1, (options ?? {}) as SubmitOptions, source);
          expect(sent(submission)).toBeDefined();
        } catch (error) {
          if (!(error instanceof UsageError)) throw error;
        }
      }),
      { numRuns: 2_000 },
    );
    fc.assert(
      fc.property(maybe, (options) => {
        try {
          expect(sent(submit(1, options as SubmitOptions))).toBeDefined();
        } catch (error) {
          if (!(error instanceof UsageError)) throw error;
        }
      }),
      { numRuns: 2_000 },
    );
  });
});

test("a submission counts for at least what it adds to a record", () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 50 }), fc.string({ maxLength: 300 }), (count, input) => {
      const submission = submit(input, { dependsOn: Array.from({ length: count }, newId) });
      const size = (copies: number): number => recordOf(...Array<Submission>(copies).fill(submission)).length;
      expect(bytesOfSubmission(submission)).toBeGreaterThanOrEqual((size(101) - size(1)) / 100);
    }),
    { numRuns: 30 },
  );
});
