/** The demo as a newcomer runs it, on a small tree of packages. */
import { spawn } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { waitUntil } from "@weft/testing";
import { afterEach, beforeEach, expect, test } from "vitest";
import { descendantsOf, untilGone } from "../../../test/fixtures/process-tree.ts";
import { auditFixture, installFixture } from "./audit-fixture.ts";

const DEMO = fileURLToPath(new URL("../demo.ts", import.meta.url));
let root: string;

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), "weft-demo-"));
  await installFixture(root, await auditFixture());
});
afterEach(() => rm(root, { recursive: true }));

type Demo = {
  readonly pid: number;
  readonly output: () => string;
  readonly exited: Promise<number | null>;
  readonly kill: (signal: NodeJS.Signals) => void;
};

function startDemo(...args: string[]): Demo {
  const child = spawn(process.execPath, [DEMO, "--root", root, "--out", join(root, "out"), ...args], {
    cwd: root,
  });
  let output = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding("utf8").on("data", (text: string) => {
      output += text;
    });
  }
  const exited = new Promise<number | null>((resolve) => child.once("close", resolve));
  return { pid: child.pid ?? 0, output: () => output, exited, kill: (signal) => void child.kill(signal) };
}

const report = (name: string): Promise<string> => readFile(join(root, "out", name), "utf8");

/** Many packages, so that there is time to interrupt. */
async function installMany(count: number): Promise<void> {
  const file = "x".repeat(200_000);
  for (let index = 0; index < count; index++) {
    await installFixture(root, {
      [`many-${index}/package.json`]: JSON.stringify({
        name: `many-${index}`,
        version: "1.0.0",
        license: "ISC",
      }),
      [`many-${index}/data.txt`]: file,
    });
  }
}

test("audits what is installed and names the report in its last line", async () => {
  const demo = startDemo();
  expect(await demo.exited).toBe(0);
  const page = join(root, "out", "report.html");
  // 6 packages, 4 tasks for each, and 4 tasks for all of them.
  expect(demo.output().trimEnd().split("\n").at(-1)).toMatch(
    new RegExp(`^demo: 28 tasks succeeded, 0 failed, \\d+\\.\\d s, report: ${page}$`),
  );
  expect(demo.output()).toContain("hash files: 6 of 6");
  const markdown = await report("report.md");
  expect(markdown).toContain("| MIT | 3 |");
  expect(markdown).toMatch(/@scope\/differs \| 0\.1\.0 \| MIT \| Apache\\-2\.0 \|/);
  expect(markdown).toMatch(/\| twice \| 1\.10\.0, 2\.0\.0 \|/);
  expect(await report("report.html")).not.toContain("<script>alert");
});

test("ends right although a worker is killed half way, with the same report", async () => {
  await installMany(60);
  expect(await startDemo().exited).toBe(0);
  const whole = await report("report.md");
  const demo = startDemo("--kill");
  expect(await demo.exited).toBe(0);
  expect(demo.output()).toMatch(/kill -9 \d+: one of 2 workers is gone/);
  expect(demo.output()).toMatch(/demo: 268 tasks succeeded, 0 failed/);
  const undated = (text: string): string => text.replace(/\d{4}\\-\d\d\\-\d\dT[^:]*:[^:]*:[^:]*:/, "");
  expect(undated(await report("report.md"))).toBe(undated(whole));
});

test("leaves no process behind, neither when it is interrupted nor when it is killed", async () => {
  await installMany(200);
  for (const [signal, code] of [
    ["SIGINT", 130],
    ["SIGKILL", null],
  ] as const) {
    const demo = startDemo();
    await waitUntil(() => demo.output().includes("list packages: 1 of 1"), { story: demo.output });
    const parts = descendantsOf(demo.pid);
    expect(parts.filter(({ command }) => command.includes(" worker "))).toHaveLength(2);
    demo.kill(signal);
    expect(await demo.exited).toBe(code);
    await untilGone(parts);
  }
});

test("says which task failed and why, and exits with 1", async () => {
  await writeFile(join(root, "out"), "a file where the report's folder should be");
  const demo = startDemo();
  expect(await demo.exited).toBe(1);
  expect(demo.output()).toMatch(/write report \S+ failed: .*EEXIST/);
  expect(demo.output()).toMatch(/demo: 27 tasks succeeded, 1 failed, .*report: none/);
});

test("refuses a command line that it does not understand", async () => {
  const demo = startDemo("--fast");
  expect(await demo.exited).toBe(2);
  expect(demo.output()).toContain("Unknown option '--fast'");
});
