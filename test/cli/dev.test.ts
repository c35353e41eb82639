/** `weft dev`: a whole cluster in one command, which leaves nothing behind however it ends. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { runWeft, startWeft, type WeftProcess, type WeftRun } from "../fixtures/process.ts";
import { descendantsOf, type ProcessEntry, untilGone } from "../fixtures/process-tree.ts";

const fixture = (name: string): string => new URL(`../fixtures/${name}`, import.meta.url).pathname;
const tasks = fixture("tasks.ts");
const started: WeftProcess[] = [];
let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "weft-dev-"));
});
afterEach(async () => {
  for (const each of started.splice(0)) {
    each.kill("SIGKILL");
    await each.exited;
  }
  await rm(folder, { recursive: true });
});

type Dev = { readonly process: WeftProcess; readonly url: string };

async function dev(...args: string[]): Promise<Dev> {
  const process = startWeft(["dev", ...args], { cwd: folder });
  started.push(process);
  await process.printed("submit with:");
  const [, url = ""] = /the cluster is ready: nats-server \S+ at ([^\s,]+)/.exec(process.stderr()) ?? [];
  return { process, url };
}

const submit = (url: string, ...args: string[]): Promise<WeftRun> =>
  runWeft(["submit", ...args, "--watch", "--url", url]);

function child(of: WeftProcess, what: string): ProcessEntry {
  const found = descendantsOf(of.pid).find(({ command }) => command.includes(what));
  if (found === undefined) throw new Error(`weft dev has no ${what}`);
  return found;
}

test("runs a task, prints what happens, and stops with all its parts", async () => {
  const { process, url } = await dev(tasks, "--memory", "--port", "0", "--slots", "3");
  expect(await submit(url, "add", '{"a":1,"b":2}')).toMatchObject({ code: 0, stdout: "3\n" });
  await process.printed("succeeded");
  expect(process.stdout()).toMatch(/ worker worker\.\S+ joined tasks .*add.*; 3 slots\n/);
  expect(process.stdout()).toMatch(/ task add \S+ submitted\n/);
  const parts = descendantsOf(process.pid);
  expect(parts.length).toBeGreaterThanOrEqual(3);
  process.kill("SIGINT");
  expect(await process.exited).toBe(0);
  await untilGone(parts);
});

test("leaves no process behind when it is killed", async () => {
  const { process } = await dev(tasks, "--memory", "--port", "0");
  const parts = descendantsOf(process.pid);
  expect(parts.some(({ command }) => command.includes("nats-server"))).toBe(true);
  process.kill("SIGKILL");
  await process.exited;
  await untilGone(parts);
});

test("starts a worker or coordinator again that died", async () => {
  const { process, url } = await dev(tasks, "--memory", "--port", "0");
  for (const part of ["worker", "coordinator"]) {
    globalThis.process.kill(child(process, `main.ts ${part}`).pid, "SIGKILL");
    await process.printed(`the ${part} was ended by SIGKILL; it is started again`);
    expect(await submit(url, "echo", "1")).toMatchObject({ code: 0, stdout: "1\n" });
  }
});

test("ends where nats-server does", async () => {
  const { process } = await dev("--memory", "--port", "0");
  globalThis.process.kill(child(process, "nats-server.conf").pid, "SIGKILL");
  expect(await process.exited).toBe(1);
  expect(process.stderr()).toContain("nats-server was ended by SIGKILL");
});

test("keeps its store, also when it is killed", async () => {
  const first = await dev(tasks, "--port", "0");
  const { stdout: id } = await runWeft(["submit", "echo", '"kept"', "--url", first.url]);
  first.process.kill("SIGKILL");
  await first.process.exited;
  const second = await dev("--port", "0");
  const shown = await runWeft(["show", id.trim(), "--url", second.url]);
  expect(shown).toMatchObject({ code: 0, stdout: expect.stringContaining('"kept"') });
});

test("refuses a store that another uses", async () => {
  await dev("--port", "0");
  const { code, stderr } = await runWeft(["dev", "--port", "0"], { cwd: folder });
  expect(code).toBe(2);
  expect(stderr).toMatch(/is in use by another `weft dev` \(pid \d+\) at nats:/);
});

test("takes no other port than the one asked for", async () => {
  const { url } = await dev("--memory", "--port", "0");
  const port = new URL(url).port;
  const { code, stderr } = await runWeft(["dev", "--memory", "--port", port], { cwd: folder });
  expect(code).toBe(3);
  expect(stderr).toMatch(/address already in use/);
});

test("says what is wrong with a task file, and runs nothing", async () => {
  const { code, stderr } = await runWeft(["dev", fixture("broken-tasks.ts"), "--memory", "--port", "0"]);
  expect(code).toBe(2);
  expect(stderr).toMatch(/broken-tasks\.ts:\d+/);
});

test("prints nothing but events as JSON with --json", async () => {
  const process = startWeft(["dev", tasks, "--memory", "--port", "0", "--json"], { cwd: folder });
  started.push(process);
  await process.printed("submit with:");
  const [, url = ""] = /nats-server \S+ at ([^\s,"]+)/.exec(process.stderr()) ?? [];
  await submit(url, "echo", "1");
  await process.printed('"succeeded"');
  const events = process
    .stdout()
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line));
  expect(events.map(({ state }) => state)).toContain("succeeded");
  process.kill("SIGTERM");
  expect(await process.exited).toBe(0);
});
