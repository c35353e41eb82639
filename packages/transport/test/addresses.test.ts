import fc from "fast-check";
import { afterEach, describe, expect, test, vi } from "vitest";
import { isAtLeast, serversOf } from "../src/index.ts";

afterEach(() => {
  vi.unstubAllEnvs();
});

describe("the addresses", () => {
  test("are those that were named, else WEFT_URL's, else the local one", () => {
    expect(serversOf({ servers: "nats://a, nats://b," })).toEqual(["nats://a", "nats://b"]);
    expect(serversOf({ servers: [" a ", "", "b"] })).toEqual(["a", "b"]);
    vi.stubEnv("WEFT_URL", "nats://c:1,d");
    expect(serversOf({})).toEqual(["nats://c:1", "d"]);
    expect(serversOf({ servers: "a" })).toEqual(["a"]);
    vi.stubEnv("WEFT_URL", undefined);
    expect(serversOf({})).toEqual(["nats://127.0.0.1:4222"]);
  });
});

describe("a version", () => {
  test("is compared number by number", () => {
    const part = fc.nat({ max: 30 });
    fc.assert(
      fc.property(fc.tuple(part, part, part), fc.tuple(part, part, part), (have, need) => {
        const weight = ([a, b, c]: readonly [number, number, number]): number => a * 10_000 + b * 100 + c;
        expect(isAtLeast(have.join("."), need.join("."))).toBe(weight(have) >= weight(need));
      }),
    );
  });

  test.each([
    ["2.12.0-RC.1", true],
    ["2.12", true],
    ["3", true],
    ["2.9.25", false],
    ["", false],
    ["dev", false],
  ])("%j is new enough: %s", (version, enough) => expect(isAtLeast(version, "2.12.0")).toBe(enough));
});
