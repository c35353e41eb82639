import { Namespace, NoLeaderError, UsageError } from "@weft/protocol";
import { NatsServerNotFoundError } from "@weft/testing";
import { expect, test } from "vitest";
import { errorObject } from "../src/error-report.ts";
import { exitCodeOf } from "../src/exit-code.ts";

test.each([
  [new UsageError("wrong"), 2],
  [new NoLeaderError(Namespace.parse("default"), 100), 3],
  [new NatsServerNotFoundError([]), 3],
  [new Error("anything else"), 1],
  ["no error at all", 1],
])("%s", (error, code) => expect(exitCodeOf(error)).toBe(code));

test("an error is told by its stable code, also where its class comes from another copy of a package", () => {
  const foreign = Object.assign(new Error("nobody leads"), { code: "weft_no_leader" });
  expect(exitCodeOf(foreign)).toBe(3);
  expect(errorObject(foreign)).toEqual({ code: "weft_no_leader", message: "nobody leads" });
});
