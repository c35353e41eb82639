import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { createInterface } from "node:readline";
import { beforeAll, describe, expect, onTestFinished, test, vi } from "vitest";
import { findNatsServer } from "../src/nats-server/finder.ts";
import { isProcessRunning } from "../src/process-state.ts";
import { temporaryFolder, waitUntil } from "./nats-server-support.ts";

// Beyond every deadline in here, so that it is the deadline that tells what was waited for.
vi.setConfig({ testTimeout: 40_000 });

let binary = "";
beforeAll(async () => {
  binary = (await findNatsServer()).path;
}, 300_000);

type Parent = {
  /** What the program reported with its first line. */
  readonly report: { readonly pid: number; readonly folder: string };
  /** Sends the program a line, for which it waits. */
  readonly proceed: () => void;
  readonly kill: () => void;
  readonly ended: Promise<unknown>;
};

/** Runs a program that starts a server in a process of its own. */
async function runParent(program: string): Promise<Parent> {
  const source = (file: string): string =>
    JSON.stringify(new URL(`../src/nats-server/${file}`, import.meta.url).href);
  const code = `
    import { once } from "node:events";
    import { mkdtempSync, mkdirSync } from "node:fs";
    import { startNatsServer } from ${source("server.ts")};
    import { spawnGuarded } from ${source("lifeline.ts")};
    const report = (pid, folder) => console.log(JSON.stringify({ pid, folder }));
    const proceed = () => once(process.stdin, "data");
    const binary = ${JSON.stringify(binary)};
    ${program}`;
  const parent = spawn(process.execPath, ["--input-type=module", "--eval", code], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  onTestFinished(() => {
    parent.kill("SIGKILL");
  });
  const ended = once(parent, "exit");
  const first = await Promise.race([once(createInterface(parent.stdout), "line"), ended]);
  if (typeof first[0] !== "string") throw new Error(`the program ended with ${first[0]} and no report`);
  const report = JSON.parse(first[0]) as Parent["report"];
  onTestFinished(() => {
    if (isProcessRunning(report.pid)) process.kill(report.pid, "SIGKILL");
  });
  return {
    report,
    ended,
    proceed: () => parent.stdin.write("\n"),
    kill: () => parent.kill("SIGKILL"),
  };
}

const startServer = `
  const server = await startNatsServer({ binary });
  report(server.pid, server.storeDir);`;
const stay = "await new Promise(() => setInterval(() => {}, 1000));";

async function expectGone({ pid, folder }: Parent["report"]): Promise<void> {
  await waitUntil("the server's end", () => !isProcessRunning(pid));
  await waitUntil("the removal of its folder", () => !existsSync(dirname(folder)));
}

describe("a nats-server ends with the process that started it, and its temporary folder with it", () => {
  test("when that process is killed with SIGKILL", async () => {
    const parent = await runParent(`${startServer} ${stay}`);
    expect(isProcessRunning(parent.report.pid)).toBe(true);
    expect(existsSync(parent.report.folder)).toBe(true);
    parent.kill();
    await expectGone(parent.report);
  });

  test("when that process exits without a stop", async () => {
    const parent = await runParent(`${startServer} process.exit(0);`);
    await expectGone(parent.report);
  });

  test("when that process throws", async () => {
    const parent = await runParent(`process.on("uncaughtException", () => process.exit(1));
      ${startServer} throw new Error("unexpected");`);
    await expectGone(parent.report);
  });

  test("when the server is frozen and hears nothing", async () => {
    const parent = await runParent(`${startServer} server.kill("SIGSTOP"); ${stay}`);
    parent.kill();
    await expectGone(parent.report);
  });

  test("also when the server was restarted", async () => {
    const parent = await runParent(`
      const server = await startNatsServer({ binary });
      server.kill();
      await server.exited;
      await server.restart();
      report(server.pid, server.storeDir);
      ${stay}`);
    expect(isProcessRunning(parent.report.pid)).toBe(true);
    parent.kill();
    await expectGone(parent.report);
  });

  test("of which only the folder is left to remove when the server crashed before", async () => {
    const parent = await runParent(`
      const server = await startNatsServer({ binary });
      server.kill();
      await server.exited;
      report(server.pid, server.storeDir);
      ${stay}`);
    expect(existsSync(parent.report.folder)).toBe(true);
    parent.kill();
    await expectGone(parent.report);
  });

  test("but not the store that the caller named", async () => {
    const storeDir = join(temporaryFolder(), "data");
    const parent = await runParent(`
      const server = await startNatsServer({ binary, storeDir: ${JSON.stringify(storeDir)} });
      report(server.pid, server.storeDir);
      ${stay}`);
    parent.kill();
    await waitUntil("the server's end", () => !isProcessRunning(parent.report.pid));
    expect(existsSync(join(storeDir, "jetstream"))).toBe(true);
  });
});

describe.each(["linux", "win32"] as const)("a guarded child, guarded in the manner of %s", (platform) => {
  const startSleeper = (folder: string): string => `
    const folder = ${JSON.stringify(folder)} + "/run";
    mkdirSync(folder + "/store", { recursive: true });
    const { child, release } = spawnGuarded("sleep", ["600"], { folder, platform: "${platform}" });
    report(child.pid, folder + "/store");`;

  test("is the program itself, by process id", async () => {
    const parent = await runParent(`${startSleeper(temporaryFolder())} ${stay}`);
    process.kill(parent.report.pid, "SIGTERM");
    await waitUntil("the end of the program", () => !isProcessRunning(parent.report.pid));
  });

  test("ends with its parent", async () => {
    const parent = await runParent(`${startSleeper(temporaryFolder())} ${stay}`);
    parent.kill();
    await expectGone(parent.report);
  });

  test("takes nothing with it once it has ended and its guard was released", async () => {
    const parent = await runParent(`
      ${startSleeper(temporaryFolder())}
      child.kill();
      await once(child, "exit");
      release();`);
    // The program ends by itself: neither the child nor the guard is waited for any more.
    await parent.ended;
    expect(existsSync(parent.report.folder)).toBe(true);
  });
});
