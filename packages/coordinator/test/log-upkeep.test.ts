import { describe, expect, test } from "vitest";
import { firstKept, isCheckpointDue, isLookDue, type PurgeFacts } from "../src/shell/log-upkeep.ts";

const SETTINGS = {
  checkpointBytesMin: 1_000,
  checkpointAgeMinMs: 5_000,
  checkpointAgeMaxMs: 60_000,
  purgeAgeMinMs: 240_000,
};

describe("a checkpoint is due", () => {
  const size = {
    checkpointSeq: 100,
    checkpointBytes: 5_000,
    checkpointAgeMs: 5_000,
    foldedSeq: 200,
    bytesBehind: 0,
    bytesMax: 100_000,
  };
  test.each([
    ["when the log behind the last one outweighs the state", { bytesBehind: 5_001 }, true],
    ["not while the log behind it is shorter than the state", { bytesBehind: 4_999 }, false],
    ["not so soon after the last one", { bytesBehind: 5_001, checkpointAgeMs: 4_999 }, false],
    ["not for less than the least", { checkpointBytes: 0, bytesBehind: 1_000 }, false],
    [
      "when a quarter of what the log may hold is behind it",
      { checkpointBytes: 1e9, bytesBehind: 25_001, checkpointAgeMs: 0 },
      true,
    ],
    ["when the last one is old", { checkpointAgeMs: 60_000 }, true],
    ["never without a new record", { checkpointAgeMs: 60_000, bytesBehind: 9_999, foldedSeq: 100 }, false],
  ])("%s", (_title, change, due) => {
    expect(isCheckpointDue({ ...size, ...change }, SETTINGS)).toBe(due);
  });
});

describe("the log is purged", () => {
  const OLD = 240_000;
  const facts: PurgeFacts = {
    checkpoints: [
      { seq: 300, ageMs: OLD },
      { seq: 200, ageMs: OLD },
      { seq: 100, ageMs: OLD },
    ],
    oldestNeededSeq: 1_000,
    oldestFreshSeq: 1_000,
    lastControlSeq: 1_000,
    isPressed: false,
  };
  test.each<[string, Partial<PurgeFacts>, number]>([
    ["up to the checkpoint before the newest, which stays to fall back upon", {}, 200],
    ["up to the newest where the log is more than half full", { isPressed: true }, 300],
    [
      "not up to one that a power cut may take away",
      { checkpoints: [{ seq: 300, ageMs: OLD - 1 }], isPressed: true },
      0,
    ],
    [
      "up to the newest that is old enough",
      {
        isPressed: true,
        checkpoints: [
          { seq: 300, ageMs: 0 },
          { seq: 200, ageMs: OLD },
        ],
      },
      200,
    ],
    ["not at all with a single checkpoint and room", { checkpoints: [{ seq: 300, ageMs: OLD }] }, 0],
    ["not at all without a checkpoint", { checkpoints: [], isPressed: true }, 0],
    ["never beyond what somebody may still ask for", { oldestNeededSeq: 50 }, 50],
    ["never beyond a value that was carried a moment ago", { oldestFreshSeq: 60 }, 60],
    ["never beyond the newest control record", { lastControlSeq: 70 }, 70],
  ])("%s", (_title, change, first) => {
    expect(firstKept({ ...facts, ...change }, SETTINGS)).toBe(first);
  });

  test("at once where nothing acknowledged can be lost", () => {
    const fresh = { ...facts, checkpoints: facts.checkpoints.map((each) => ({ ...each, ageMs: 0 })) };
    expect(firstKept(fresh, { ...SETTINGS, purgeAgeMinMs: 0 })).toBe(200);
  });
});

describe("the log is looked at, of the times that are two seconds apart,", () => {
  const since = { ms: 2_000, records: 0, isPressed: false };
  test.each([
    ["not where nothing but ticks was written", { records: 6 }, false],
    ["where more was written", { records: 7 }, true],
    ["where it fills up", { isPressed: true }, true],
    ["not at the fourth time of quiet", { ms: 8_000, records: 16 }, false],
    ["at the fifth, also where its timer is a little early", { ms: 9_990, records: 20 }, true],
  ])("%s", (_title, change, due) => {
    expect(isLookDue({ ...since, ...change }, 2_000)).toBe(due);
  });
});
