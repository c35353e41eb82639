import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { NatsServerVersion } from "../src/nats-server/version.ts";
import { compareVersions, formatVersion, isSupported, parseVersion } from "../src/nats-server/version.ts";

function version(text: string): NatsServerVersion {
  const parsed = parseVersion(text);
  if (parsed === undefined) throw new Error(`${text} is no version`);
  return parsed;
}

describe("the version of a nats-server", () => {
  test.each([
    ["nats-server: v2.15.1\n", "2.15.1"],
    ["nats-server: v2.12.0-RC.3\n", "2.12.0-RC.3"],
    ["nats-server: v2.14.0-preview.1+git.0a1b2c3\n", "2.14.0-preview.1"],
    ["nats-server: v2.11.0-dev", "2.11.0-dev"],
    ["nats-server version 2.1.9", "2.1.9"],
    ["2.15.1", "2.15.1"],
    ["warning: something\nnats-server: v2.14.7", "2.14.7"],
  ])("is read from %j", (text, expected) => {
    expect(formatVersion(version(text))).toBe(expected);
  });

  test.each(["", "nats-server: unknown", "v2.15", "listening on 127.0.0.1:4222", "nats-server: v2.15.1.4"])(
    "is not made up from %j",
    (text) => {
      expect(parseVersion(text)).toBeUndefined();
    },
  );

  test("survives being written and read", () => {
    const number = fc.nat({ max: 999 });
    const prerelease = fc.constantFrom("", "RC.1", "preview.12", "beta");
    fc.assert(
      fc.property(fc.record({ major: number, minor: number, patch: number, prerelease }), (any) => {
        expect(parseVersion(`nats-server: v${formatVersion(any)}\n`)).toEqual(any);
      }),
    );
  });

  test("is ordered by number, with a pre-release before its release", () => {
    const ordered = [
      "2.9.10",
      "2.10.0",
      "2.12.0-RC.2",
      "2.12.0-RC.10",
      "2.12.0",
      "2.12.1",
      "2.15.0",
      "10.0.0",
    ];
    const shuffled = [...ordered].reverse().map(version);
    expect(shuffled.sort(compareVersions).map(formatVersion)).toEqual(ordered);
  });

  test("is supported from 2.12 on", () => {
    const supported = (text: string): boolean => isSupported(version(text));
    expect(["2.12.0", "2.12.15", "2.15.1", "3.0.0"].every(supported)).toBe(true);
    expect(["2.9.10", "2.10.27", "2.11.9", "2.12.0-RC.1", "1.99.0"].some(supported)).toBe(false);
  });
});
