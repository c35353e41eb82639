/** The help that people read: each command has one, and each example in it runs as it stands. */
import { chmod, cp, mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { fileURLToPath } from "node:url";
import { startTestCluster, type TestCluster, waitUntil } from "@weft/testing";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { runWeft } from "../fixtures/process.ts";
import { type ShellRun, startShell } from "../fixtures/shell.ts";

const repository = (path: string): string => fileURLToPath(new URL(`../../${path}`, import.meta.url));
const EXAMPLE_ID = /\b00aoud1b8MFCdyAhxiLz4w\b/;
const { stdout: help } = await runWeft(["--help"]);
const [, listed = ""] = /\nCommands:\n(.*?)\n\n/s.exec(help) ?? [];
const commands = [...listed.matchAll(/^ {2}([a-z]+) /gm)]
  .map(([, name = ""]) => name)
  .filter((name) => name !== "help");

/** What a command that goes on by itself prints once it is there. */
const FOREGROUND: Readonly<Record<string, string>> = {
  dev: "submit with:",
  coordinator: "stands by",
  worker: "ready:",
  events: "listening on",
};

let cluster: TestCluster;
let folder: string;
let env: NodeJS.ProcessEnv;

beforeAll(async () => {
  cluster = await startTestCluster({ worker: { files: [repository("test/fixtures/tasks.ts")] } });
  folder = await mkdtemp(join(tmpdir(), "weft-help-"));
  await mkdir(join(folder, "bin"));
  await cp(repository("test/fixtures/tasks.ts"), join(folder, "tasks.ts"));
  await cp(repository("test/fixtures/workflow.json"), join(folder, "workflow.json"));
  await symlink(repository("test/node_modules"), join(folder, "node_modules"));
  await writeFile(
    join(folder, "bin", "weft"),
    `#!/bin/sh\nexec '${process.execPath}' '${repository("packages/cli/src/main.ts")}' "$@"\n`,
  );
  await chmod(join(folder, "bin", "weft"), 0o755);
  env = {
    ...process.env,
    PATH: `${join(folder, "bin")}${delimiter}${process.env.PATH}`,
    WEFT_URL: cluster.server.url,
  };
});
afterAll(async () => {
  await cluster.stop();
  await rm(folder, { recursive: true });
});

test("the help names the commands, the exit codes, and what every command has", () => {
  expect(commands).toEqual(
    expect.arrayContaining([
      "dev",
      "coordinator",
      "worker",
      "submit",
      "show",
      "ls",
      "workers",
      "events",
      "doctor",
    ]),
  );
  expect(help).toContain("Exit codes: 0 done, 1 the task failed, 2 usage, 3 cannot reach the cluster.");
  for (const option of ["--url", "--namespace", "--connect-timeout", "--json"])
    expect(help).toContain(option);
});

test("a command line without a command prints the help and exits with 2", async () => {
  const { code, stdout, stderr } = await runWeft([]);
  expect(code).toBe(2);
  expect(stdout + stderr).toContain("Usage: weft");
});

test("the version is that of the package", async () => {
  expect((await runWeft(["--version"])).stdout).toMatch(/^\d+\.\d+\.\d+\n$/);
});

describe.each(commands)("weft %s", (name) => {
  test("has a help whose examples run", async () => {
    const told = await runWeft([name, "--help"]);
    expect(told).toMatchObject({ code: 0, stderr: "" });
    expect(told.stdout).toMatch(new RegExp(`^Usage: weft ${name} .*\\n\\n\\S`));
    const lines = [...told.stdout.matchAll(/^ {2}\$ (.*)$/gm)].map(([, line = ""]) => line);
    expect(lines).not.toEqual([]);
    for (const line of lines) await runExample(line, name);
  });
});

async function runExample(line: string, name: string): Promise<void> {
  const client = await cluster.client();
  const { id } = client.submit("echo", "an example");
  const run: ShellRun = startShell(line.replace(EXAMPLE_ID, id), {
    cwd: folder,
    env: name === "dev" ? without("WEFT_URL") : env,
  });
  let isOver = false;
  void run.exited.then(() => {
    isOver = true;
  });
  const sign = FOREGROUND[name];
  if (sign !== undefined && !line.includes("--json"))
    await waitUntil(() => isOver || run.output().includes(sign), {
      what: `"${sign}"`,
      story: run.output,
      timeoutMs: 20_000,
    });
  if (name === "events")
    await waitUntil(
      async () => {
        await client.submit("add", { a: 1, b: 2 }).result();
        return isOver || (!line.includes("--count") && run.output().includes("succeeded"));
      },
      { story: run.output },
    );
  if (sign !== undefined && !line.includes("--count")) run.interrupt();
  expect({ line, code: await run.exited, output: run.output() }).toMatchObject({ code: 0 });
  await client.close();
}

function without(name: string): NodeJS.ProcessEnv {
  const { [name]: _, ...others } = env;
  return others;
}
