/** The demo as a newcomer runs it, on a small tree of packages. */
import { spawn } from "node:child_process";
import { mkdtemp, readFile, rm, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { isProcessRunning, waitUntil } from "@weft/testing";
import { afterEach, beforeEach, expect, test } from "vitest";
import { descendantsOf, untilGone } from "../../../test/fixtures/process-tree.ts";
import { auditFixture, installFixture } from "./audit-fixture.ts";

const DEMO = fileURLToPath(new URL("../demo.ts", import.meta.url));
let root: string;
let demos: Demo[] = [];

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), "weft-demo-"));
  await installFixture(root, await auditFixture());
});
afterEach(async () => {
  // A demo that a failed test has left takes all that belongs to it along.
  for (const demo of demos) demo.kill("SIGKILL");
  await Promise.all(demos.map(({ exited }) => exited));
  demos = [];
  await rm(root, { recursive: true });
});

type Demo = {
  readonly pid: number;
  readonly output: () => string;
  readonly printed: (text: string) => Promise<void>;
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
  const printed = async (text: string): Promise<void> => {
    await waitUntil(() => output.includes(text), { what: text, timeoutMs: 20_000, story: () => output });
  };
  const kill = (signal: NodeJS.Signals): void => void child.kill(signal);
  const demo = { pid: child.pid ?? 0, output: () => output, printed, exited, kill };
  demos.push(demo);
  return demo;
}

/** The coordinator's process, and the two workers'. */
function processesIn(output: string): readonly [number, number, number] {
  const [, ...pids] = /coordinator (\d+), workers (\d+), (\d+)/.exec(output) ?? [];
  expect(pids).toHaveLength(3);
  return pids.map(Number) as [number, number, number];
}

const report = (name: string): Promise<string> => readFile(join(root, "out", name), "utf8");

async function installMany(count: number): Promise<void> {
  for (let index = 0; index < count; index++) {
    const manifest = { name: `many-${index}`, version: "1.0.0", license: "ISC" };
    await installFixture(root, {
      [`many-${index}/package.json`]: JSON.stringify(manifest),
      [`many-${index}/data.txt`]: "x".repeat(200_000),
    });
  }
}

/** One package whose hash takes many seconds: the demo is not over before a test has done with it. The file is all holes. */
async function installLarge(): Promise<void> {
  await installFixture(root, { "large/package.json": "{}", "large/data.bin": "" });
  await truncate(join(root, "node_modules", "large", "data.bin"), 32 * 1024 ** 3);
}

test("audits what is installed and names the report in its last line", async () => {
  const demo = startDemo();
  expect(await demo.exited).toBe(0);
  const page = join(root, "out", "report.html");
  // 6 packages, 4 tasks for each, and 4 tasks for all of them.
  expect(demo.output().trimEnd().split("\n").at(-1)).toMatch(
    new RegExp(`^demo: 28 tasks succeeded, 0 failed, \\d+\\.\\d s, report: ${page}$`),
  );
  expect(demo.output()).toContain("find packages: 1 of 1");
  expect(demo.output()).toContain("hash files: 6 of 6");
  const markdown = await report("report.md");
  expect(markdown).toContain("| MIT | 3 |");
  expect(markdown).toMatch(/@scope\/differs \| 0\.1\.0 \| MIT \| Apache-2\.0 \|/);
  expect(markdown).toMatch(/\| twice \| 1\.10\.0, 2\.0\.0 \|/);
  expect(await report("report.html")).not.toContain("<script>alert");
});

test("ends right although a worker is killed half way, with the same report", async () => {
  await installMany(60);
  expect(await startDemo().exited).toBe(0);
  const whole = await report("report.md");
  const demo = startDemo("--kill");
  expect(await demo.exited).toBe(0);
  const [, first, second] = processesIn(demo.output());
  expect(demo.output()).toContain(`half way: kill -9 ${first}\n`);
  expect(demo.output()).toContain(`worker 1 (process ${first}) was ended by SIGKILL: 1 worker left\n`);
  expect(demo.output()).not.toContain(`process ${second}`);
  expect(demo.output()).toMatch(/demo: 268 tasks succeeded, 0 failed, .*\n$/);
  const undated = (text: string): string => text.replace(/\d{4}-\d\d-\d\dT[\d:.]+Z/, "");
  expect(undated(await report("report.md"))).toBe(undated(whole));
  for (const pid of processesIn(demo.output())) expect(isProcessRunning(pid)).toBe(false);
});

test.each([
  ["Ctrl-C", "SIGINT", 130],
  ["SIGTERM", "SIGTERM", 143],
  ["kill -9", "SIGKILL", null],
] as const)("leaves no process behind at %s, whatever runs", async (_what, signal, code) => {
  await installLarge();
  const demo = startDemo();
  await demo.printed("find packages: 1 of 1");
  const parts = descendantsOf(demo.pid);
  expect(parts.filter(({ command }) => command.includes(" worker "))).toHaveLength(2);
  demo.kill(signal);
  expect(await demo.exited).toBe(code);
  await untilGone(parts);
  expect(demo.output()).not.toContain("tasks succeeded");
});

test("leaves no process behind when it is interrupted before its cluster is up", async () => {
  const demo = startDemo();
  const started = (): boolean =>
    descendantsOf(demo.pid).some(({ command }) => command.includes(" coordinator "));
  await waitUntil(started, { what: "a coordinator", timeoutMs: 20_000, story: demo.output });
  const parts = descendantsOf(demo.pid);
  demo.kill("SIGINT");
  expect(await demo.exited).toBe(130);
  await untilGone(parts);
});

test("goes on without one worker, and says so and ends when it has lost the last", async () => {
  await installLarge();
  const demo = startDemo();
  await demo.printed("find packages: 1 of 1");
  const parts = descendantsOf(demo.pid);
  const [, first, second] = processesIn(demo.output());
  process.kill(first, "SIGKILL");
  await demo.printed("1 worker left");
  await demo.printed("count bytes: 7 of 7");
  process.kill(second, "SIGKILL");
  expect(await demo.exited).toBe(1);
  expect(demo.output()).toContain("demo: no worker is left");
  await untilGone(parts);
});

test("says so and ends when it has lost its coordinator", async () => {
  await installLarge();
  const demo = startDemo();
  await demo.printed("find packages: 1 of 1");
  const parts = descendantsOf(demo.pid);
  const [coordinator] = processesIn(demo.output());
  process.kill(coordinator, "SIGKILL");
  expect(await demo.exited).toBe(1);
  expect(demo.output()).toContain(`demo: the coordinator (process ${coordinator}) was ended by SIGKILL`);
  await untilGone(parts);
});

test("says which task failed and why, and exits with 1", async () => {
  await writeFile(join(root, "out"), "a file where the report's folder should be");
  const demo = startDemo();
  expect(await demo.exited).toBe(1);
  expect(demo.output()).toMatch(/task write-report \S+ failed: .*EEXIST/);
  expect(demo.output()).toMatch(/demo: 27 tasks succeeded, 1 failed, .*report: none/);
});

test.each([
  ["an option that there is not", ["--fast"], "demo: Unknown option '--fast'\n"],
  ["an argument", ["now"], "demo: Unexpected argument 'now'\n"],
  ["no value for --out", ["--out"], "demo: Option '--out <value>' argument missing\n"],
  [
    "a folder without node_modules",
    ["--root", "/nowhere"],
    "demo: there is no folder /nowhere/node_modules\n",
  ],
])("refuses %s", async (_what, args, line) => {
  const demo = startDemo(...args);
  expect(await demo.exited).toBe(2);
  expect(demo.output()).toBe(`${line}see: npx -y pnpm@12 demo --help\n`);
});

test("tells its options", async () => {
  const demo = startDemo("--help");
  expect(await demo.exited).toBe(0);
  for (const option of ["--kill", "--out DIR", "--root DIR"]) expect(demo.output()).toContain(option);
});
