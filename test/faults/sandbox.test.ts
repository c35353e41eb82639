/** A fault run leaves nothing behind, however it ends. */
import { type ChildProcess, spawn } from "node:child_process";
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { waitUntil } from "@weft/testing";
import { afterEach, beforeEach, expect, test } from "vitest";
import { descendantsOf, untilGone } from "../fixtures/process-tree.ts";

const MAIN = fileURLToPath(new URL("./sandbox-process.ts", import.meta.url));
const STARTED_MAX_MS = 25_000;
/** Two processes below the first, one of which is nobody's child any more. */
const FAMILY = "(sleep 301 &) ; sleep 302 & echo started; wait";

type Outer = {
  readonly child: ChildProcess;
  readonly said: () => string;
  readonly code: Promise<number | null>;
};

let folder = "";
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "weft-sandbox-"));
});
afterEach(async () => {
  await rm(folder, { recursive: true });
});

function start(way: string, command: readonly string[]): Outer {
  const child = spawn(process.execPath, [MAIN, way, ...command], {
    env: { ...process.env, TMPDIR: folder },
    stdio: ["ignore", "pipe", "inherit"],
  });
  let said = "";
  child.stdout?.setEncoding("utf8").on("data", (text: string) => {
    said += text;
  });
  const code = new Promise<number | null>((resolve) => child.once("exit", resolve));
  return { child, said: () => said, code };
}

async function untilStarted({ said }: Outer): Promise<void> {
  await waitUntil(() => said().includes("started"), {
    what: "the command to start",
    timeoutMs: STARTED_MAX_MS,
  });
}

for (const way of ["auto", "proxies"]) {
  test(`${way}: the exit code of a run is passed on, and its folder is removed`, async () => {
    expect(await start(way, ["sh", "-c", 'test -d "$TMPDIR" && exit 3']).code).toBe(3);
    expect(await readdir(folder)).toEqual([]);
  });

  test(`${way}: a run that is interrupted is told so, and ends`, async () => {
    const script = "process.on('message', () => process.exit(5)); console.log('started')";
    const outer = start(way, [process.execPath, "-e", script]);
    await untilStarted(outer);
    outer.child.kill("SIGINT");
    expect(await outer.code).toBe(5);
    expect(await readdir(folder)).toEqual([]);
  });

  test(`${way}: of a run that is killed nothing is left after the next start`, async () => {
    const outer = start(way, ["sh", "-c", FAMILY]);
    await untilStarted(outer);
    const family = descendantsOf(outer.child.pid ?? 0);
    expect(family.map(({ command }) => command)).toEqual(expect.arrayContaining(["sleep 302"]));
    outer.child.kill("SIGKILL");
    await outer.code;
    expect(await readdir(folder)).toHaveLength(1);
    const next = start(way, ["true"]);
    expect(await next.code).toBe(0);
    await untilGone(family);
    expect(next.said()).toContain("of a run that was killed");
    expect(await readdir(folder)).toEqual([]);
  });
}
