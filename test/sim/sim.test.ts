/** The simulation as a test: seeds that must pass, and bugs put in on purpose that the seeds must find. */
import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { PLANTS } from "./plants/index.ts";

const main = fileURLToPath(new URL("./main.ts", import.meta.url));
const PLANT_SEEDS = 500;

async function sim(
  ...args: readonly string[]
): Promise<{ readonly code: number | null; readonly output: string }> {
  const child = spawn(process.execPath, [main, ...args], { stdio: ["ignore", "pipe", "pipe"] });
  let output = "";
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding("utf8").on("data", (text: string) => {
      output = (output + text).slice(-100_000);
    });
  const code = await new Promise<number | null>((exited) => child.once("close", exited));
  return { code, output };
}

test("200 clusters keep every invariant under faults, and every promise once they are whole", async () => {
  const { code, output } = await sim("--seeds", "200");
  expect(output).toMatch(/^seeds: 200 passed, 0 failed$/m);
  expect(code).toBe(0);
}, 600_000);

test("a seed plays the same way each time", async () => {
  const [first, second] = await Promise.all([sim("--seed", "7", "--story"), sim("--seed", "7", "--story")]);
  const story = ({ output }: { readonly output: string }): string => output.replace(/, [\d.]+ s$/m, "");
  expect(story(first)).toBe(story(second));
  expect(first.output.length).toBeGreaterThan(1_000);
});

describe("a bug put in on purpose", () => {
  test.each(PLANTS)(
    "$name is found: $what",
    async ({ name }) => {
      const { code, output } = await sim("--seeds", String(PLANT_SEEDS), "--first", "--plant", name);
      expect(output).toContain(`--plant ${name}`);
      expect(output).toMatch(/, 1 failed$/m);
      expect(code).toBe(1);
    },
    600_000,
  );

  test("that is not one is refused", async () => {
    expect((await sim("--plant", "no-such-bug")).output).toContain('no planted bug "no-such-bug"');
  });
});
