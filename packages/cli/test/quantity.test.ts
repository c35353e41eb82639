import { UsageError } from "@weft/protocol";
import { describe, expect, test } from "vitest";
import {
  describeMs,
  parseBytes,
  parseChoice,
  parseDurationMs,
  parseList,
  parseWhole,
} from "../src/quantity.ts";

describe("a duration", () => {
  test.each([
    ["500ms", 500],
    ["3s", 3_000],
    ["1.5m", 90_000],
    ["24h", 86_400_000],
    ["0ms", 0],
  ])("%s", (text, ms) => expect(parseDurationMs(text, "--t")).toBe(ms));

  test.each(["", "3", "s", "-1s", "25h", "1d", "1e3s", "3s3s", "Infinitys"])(
    "%j is refused by its option's name",
    (text) => {
      expect(() => parseDurationMs(text, "--grace")).toThrow(UsageError);
      expect(() => parseDurationMs(text, "--grace")).toThrow("--grace");
    },
  );
});

describe("a size", () => {
  test.each([
    ["1B", 1],
    ["512MiB", 536_870_912],
    ["1.5 KiB", 1_536],
  ])("%s", (text, bytes) => expect(parseBytes(text, "--s")).toBe(bytes));

  test.each(["0B", "512", "512MB", "-1KiB"])("%j is refused", (text) => {
    expect(() => parseBytes(text, "--s")).toThrow(UsageError);
  });
});

test("a whole number keeps to its range", () => {
  const range = { least: -5, most: 5 };
  expect(parseWhole("-5", "--n", range)).toBe(-5);
  for (const text of ["6", "1.5", "0x1", "", " ", "NaN", "1e0"]) {
    expect(() => parseWhole(text, "--n", range)).toThrow("--n must be a whole number from -5 to 5");
  }
});

test("a list may be given in one go or in several", () => {
  expect(parseList("a, b,,c", undefined)).toEqual(["a", "b", "c"]);
  expect(parseList("c", ["a", "b"])).toEqual(["a", "b", "c"]);
});

test("a choice names what there is to choose from", () => {
  expect(parseChoice("file", "--storage", ["file", "memory"])).toBe("file");
  expect(() => parseChoice("disk", "--storage", ["file", "memory"])).toThrow(
    '--storage must be one of file, memory, got "disk"',
  );
});

test.each([
  [5, "5 ms"],
  [1_250, "1.3 s"],
  [61_000, "1 min"],
  [3_720_000, "1 h 2 min"],
])("%d ms is told as %s", (ms, text) => expect(describeMs(ms)).toBe(text));
