/** The simulation as a test: seeds that must pass, and bugs put in on purpose that the seeds must find. */
import { isProcessRunning } from "@weft/testing";
import { describe, expect, test } from "vitest";
import { PLANTS } from "./plants/index.ts";
import { type SeedProcess, startSeeds } from "./seed-process.ts";

const PLANT_SEEDS = 500;

test("200 clusters keep every invariant under faults, and every promise once they are whole", async () => {
  const { code, output } = await startSeeds("--seeds", "200").ended;
  expect(output).toMatch(/^seeds: 200 passed, 0 failed$/m);
  expect(code).toBe(0);
}, 600_000);

test("a seed plays the same way each time", async () => {
  const play = (): SeedProcess["ended"] => startSeeds("--seed", "7", "--story").ended;
  const [first, second] = await Promise.all([play(), play()]);
  const story = ({ output }: { readonly output: string }): string => output.replace(/, [\d.]+ s$/m, "");
  expect(story(first)).toBe(story(second));
  expect(first.output.length).toBeGreaterThan(1_000);
});

describe("a bug put in on purpose", () => {
  test.each(PLANTS)(
    "$name is found: $what",
    async ({ name }) => {
      const seeds = ["--seeds", String(PLANT_SEEDS)];
      const { code, output } = await startSeeds(...seeds, "--first", "--plant", name).ended;
      expect(output).toContain(`--plant ${name}`);
      expect(output).toMatch(/, 1 failed$/m);
      expect(code).toBe(1);
    },
    600_000,
  );

  test("that is not one is refused", async () => {
    const { output } = await startSeeds("--plant", "no-such-bug").ended;
    expect(output).toContain('no planted bug "no-such-bug"');
  });
});

describe("seeds that play for longer than their test may take", () => {
  let pid: number | undefined;
  test.fails("let it time out", async () => {
    const seeds = startSeeds("--seeds", "1000000");
    pid = seeds.pid;
    await seeds.ended;
  }, 500);

  test("have ended after it", () => {
    expect(pid).toBeGreaterThan(0);
    expect(isProcessRunning(pid ?? 0)).toBe(false);
  });
});
