import { durationText, momentText, parseDuration, UsageError } from "@weft/protocol";
import { describe, expect, test } from "vitest";

describe("a duration", () => {
  test.each<[number | string, number]>([
    [0, 0],
    [1_500, 1_500],
    ["250ms", 250],
    ["30s", 30_000],
    ["1.5m", 90_000],
    ["2 h", 7_200_000],
    ["24d", 2_073_600_000],
  ])("%j is %d ms", (given, ms) => expect(parseDuration(given, "timeout")).toBe(ms));

  test.each([
    -1,
    Number.NaN,
    Number.POSITIVE_INFINITY,
    2_073_600_001,
    "25d",
    "",
    "30",
    "s",
    "-1s",
    "1 fortnight",
    "1constructor",
    null,
    {},
  ])("%j is none, and the error says what one is", (given) => {
    expect(() => parseDuration(given, "timeout")).toThrow(UsageError);
    expect(() => parseDuration(given, "timeout")).toThrow(/^timeout must be a duration/);
  });

  test.each<[number, string]>([
    [250, "250 ms"],
    [30_000, "30 s"],
    [90_500, "90.5 s"],
    [600_000, "10 min"],
    [2_073_600_000, "576 h"],
  ])("of %d ms is told as %s", (ms, text) => expect(durationText(ms)).toBe(text));
});

test("a moment that no Date knows is told as the last one", () => {
  expect(momentText(0)).toBe("1970-01-01T00:00:00.000Z");
  expect(momentText(Number.MAX_SAFE_INTEGER)).toBe("+275760-09-13T00:00:00.000Z");
});
