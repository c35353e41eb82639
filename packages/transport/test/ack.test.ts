import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { readAck } from "../src/index.ts";

const read = (answer: unknown) => readAck(Buffer.from(JSON.stringify(answer)), "LOG");

describe("an answer to an append", () => {
  test("that names the stream and a sequence is its acknowledgement", () => {
    expect(read({ stream: "LOG", seq: 7 })).toEqual({ ok: true, seq: 7 });
    expect(read({ stream: "LOG", seq: 7, duplicate: true, domain: "hub" })).toEqual({ ok: true, seq: 7 });
  });

  test("that is an error is told with the server's code and words", () => {
    const error = { code: 400, err_code: 10071, description: "wrong last sequence: 9" };
    expect(read({ error, stream: "LOG", seq: 0 })).toEqual({
      ok: false,
      error: { code: 10071, message: "wrong last sequence: 9" },
    });
    expect(read({ error: {} })).toEqual({ ok: false, error: { code: 0, message: "refused" } });
  });

  test("that is empty comes from no stream", () => {
    expect(readAck(new Uint8Array(0), "LOG")).toMatchObject({ ok: false, error: { code: 503 } });
  });

  test.each<[string, unknown]>([
    ["of another stream", { stream: "LOG2", seq: 7 }],
    ["of no stream", { seq: 7 }],
    ["without a sequence", { stream: "LOG" }],
    ["with the sequence 0", { stream: "LOG", seq: 0 }],
    ["with a sequence that is text", { stream: "LOG", seq: "7" }],
    ["that is null", null],
    ["that is a list", ["LOG", 7]],
    ["that is text", "LOG"],
  ])("%s is no acknowledgement", (_, answer) => expect(read(answer).ok).toBe(false));

  test("of any bytes is read as one thing or the other", () => {
    const json = fc.json().map((text) => Buffer.from(text));
    fc.assert(
      fc.property(fc.oneof(fc.uint8Array(), json), (bytes) => {
        const ack = readAck(bytes, "LOG");
        if (ack.ok) expect(ack.seq).toBeGreaterThan(0);
        else expect([typeof ack.error.code, typeof ack.error.message]).toEqual(["number", "string"]);
      }),
      { numRuns: 1_000 },
    );
  });
});
