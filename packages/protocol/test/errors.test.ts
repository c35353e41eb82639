import * as protocol from "@weft/protocol";
import {
  assertNever,
  ClosedError,
  NoLeaderError,
  UnreachableError,
  WeftError,
  withoutCredentials,
} from "@weft/protocol";
import { describe, expect, test } from "vitest";

describe("an error of Weft", () => {
  test("is told by its code, also one of another copy of this package", () => {
    const foreign = Object.assign(new Error("closed"), { code: "weft_closed" });
    expect(WeftError.is(foreign)).toBe(true);
    expect(WeftError.is(foreign, "weft_closed")).toBe(true);
    expect(WeftError.is(foreign, "weft_usage")).toBe(false);
    expect(WeftError.is(Object.assign(new Error("no file"), { code: "ENOENT" }))).toBe(false);
    expect(WeftError.is(new Error("none"))).toBe(false);
    expect(WeftError.is({ code: "weft_closed" })).toBe(false);
    expect(WeftError.is(undefined)).toBe(false);
  });

  test("has the name of its class and a cause only if it was given one", () => {
    expect(new ClosedError("the connection")).toMatchObject({
      name: "ClosedError",
      message: "the connection is closed",
    });
    expect("cause" in new ClosedError("it")).toBe(false);
    expect(new WeftError("weft_x", "m", { cause: undefined })).toHaveProperty("cause", undefined);
  });

  test("of each class has a name that ends in Error and comes from WeftError", () => {
    const classes = Object.entries(protocol).filter(
      ([name]) => name.endsWith("Error") && /^[A-Z]/.test(name),
    );
    expect(classes.length).toBeGreaterThan(25);
    for (const [name, type] of classes) {
      expect((type as { prototype: unknown }).prototype, name).toSatisfy(
        (it) => it === WeftError.prototype || it instanceof WeftError,
      );
    }
  });

  test("that no server answered tells where, for how long, why, and what to do, but no password", () => {
    const servers = ["nats://user:secret@a:4222", "token@b", "c:4222"];
    const error = new UnreachableError(servers, 1_234, { cause: new Error("connection refused") });
    expect(error.message).toBe(
      "no NATS server answered at nats://a:4222, b, c:4222 within 1.2 s (connection refused): start one (`weft dev` brings its own), or name the right address with --url or WEFT_URL",
    );
    expect(error).toMatchObject({ retryable: true, servers: ["nats://a:4222", "b", "c:4222"] });
  });

  test("that no leader answered tells how long it was asked for", () => {
    expect(new NoLeaderError("shop", 5_040)).toMatchObject({
      code: "weft_no_leader",
      retryable: true,
      message:
        'no leading coordinator of namespace "shop" answered within 5.0 s: start one with `weft coordinator`',
    });
  });

  test("of a variant that should not be says which", () => {
    expect(() => assertNever({ type: "new" } as never)).toThrow('unexpected variant {"type":"new"}');
  });
});

test.each([
  ["nats://user:pass@host:4222", "nats://host:4222"],
  ["tls://token@host", "tls://host"],
  ["user:p@ss@host", "host"],
  ["nats://host:4222", "nats://host:4222"],
  ["host", "host"],
])("the address %s is shown as %s", (address, shown) => expect(withoutCredentials(address)).toBe(shown));
