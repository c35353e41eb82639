/** What thrown errors say of another try. */
import { UsageError } from "@weft/protocol";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { NonRetryableError, RetryAfterError, retryFactsOf } from "../src/retry-errors.ts";

const plain = { nonRetryable: false, retryAfterMs: null };

describe("what was thrown", () => {
  test("says that there is no other try, whatever its class is called", () => {
    class BadInputError extends NonRetryableError {
      override readonly name: string = "BadInputError";
    }
    const error = new BadInputError("no", { cause: new Error("why") });
    expect(retryFactsOf(error, error.name)).toEqual({
      ...plain,
      errorName: "BadInputError",
      nonRetryable: true,
    });
    expect(error.cause).toBeInstanceOf(Error);
    expect(Object.keys(error)).toEqual(["name"]);
  });

  test("says when the next try is worth while", () => {
    const error = new RetryAfterError("later", { retryAfter: "1.5s", cause: 1 });
    expect(error).toMatchObject({ name: "RetryAfterError", retryAfterMs: 1_500, cause: 1 });
    expect(retryFactsOf(error, error.name)).toEqual({
      ...plain,
      errorName: "RetryAfterError",
      retryAfterMs: 1_500,
    });
    expect(() => new RetryAfterError("later", { retryAfter: "soon" })).toThrow(UsageError);
  });

  test("is as good as any other error where what it says was spoilt", () => {
    const error = new RetryAfterError("later", { retryAfter: 1 });
    Object.assign(error, { retryAfterMs: Number.NaN });
    expect(retryFactsOf(error, "E")).toEqual({ ...plain, errorName: "E" });
    const { proxy, revoke } = Proxy.revocable(new NonRetryableError("x"), {});
    revoke();
    expect(retryFactsOf(proxy, "E")).toEqual({ ...plain, errorName: "E" });
  });

  test("may be anything at all, with a name of any length", () => {
    fc.assert(
      fc.property(fc.anything(), fc.string(), (thrown, name) => {
        expect(retryFactsOf(thrown, name.repeat(20))).toEqual({
          ...plain,
          errorName: name.repeat(20).slice(0, 64),
        });
      }),
    );
  });

  test("of another copy of this package is understood", () => {
    const error = Object.assign(new Error("no"), { [Symbol.for("weft.non-retryable")]: true });
    expect(retryFactsOf(error, "Error").nonRetryable).toBe(true);
  });
});
