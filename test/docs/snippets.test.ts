/**
 * Snippets compile and run. A block of TypeScript begins with the name of its file; all files of a page are one folder. Where a
 * block of text follows, the last file before it is run on a cluster whose worker has the page's tasks.ts, and prints that text.
 * A line of shell that begins with `weft`, or pipes into it, is run on the same cluster.
 */
import { execFile } from "node:child_process";
import { copyFile, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { startTestCluster, type TestCluster, waitUntil } from "@weft/testing";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startShell } from "../fixtures/shell.ts";
import { blocksOf, type Page, pages, repository } from "./pages.ts";

const run = promisify(execFile);
const FIXTURES = join(repository, "test/fixtures/tasks.ts");
const TSC = join(repository, "node_modules/.bin/tsc");

type Program = { readonly file: string; readonly output: string };

/** The files of a page, and which of them are run for what they print. */
function programsOf(page: Page): {
  readonly files: ReadonlyMap<string, string>;
  readonly programs: readonly Program[];
} {
  const files = new Map<string, string>();
  const programs: Program[] = [];
  let last: string | null = null;
  for (const { language, text } of blocksOf(page)) {
    if (language === "ts") {
      const [, name] = /^\/\/ ([\w-]+\.ts)\n/.exec(text) ?? [];
      if (name === undefined) throw new Error(`${page.path}: a snippet does not name its file:\n${text}`);
      files.set(name, text);
      last = name;
    } else if (language === "text" && last !== null) programs.push({ file: last, output: text });
  }
  return { files, programs };
}

function linesOf(page: Page): readonly string[] {
  return blocksOf(page)
    .filter(({ language }) => language === "sh")
    .flatMap(({ text }) => text.split("\n"))
    .filter((line) => /^(?:weft|echo .* \| weft) /.test(line));
}

const withCode = pages().filter((page) => programsOf(page).files.size + linesOf(page).length > 0);

test("no block is of a kind that nothing looks at", () => {
  const languages = new Set(pages().flatMap((page) => blocksOf(page).map(({ language }) => language)));
  expect([...languages].filter((language) => !["ts", "sh", "text", "mermaid"].includes(language))).toEqual(
    [],
  );
});

describe.each(withCode)("$path", (page) => {
  const { files, programs } = programsOf(page);
  const lines = linesOf(page);
  let folder: string;
  let cluster: TestCluster;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "weft-docs-"));
    await symlink(join(repository, "test/node_modules"), join(folder, "node_modules"));
    await writeFile(join(folder, "package.json"), '{ "type": "module" }\n');
    await copyFile(join(repository, "test/fixtures/workflow.json"), join(folder, "workflow.json"));
    for (const [name, text] of files) await writeFile(join(folder, name), text);
    const config = {
      extends: join(repository, "tsconfig.base.json"),
      compilerOptions: {
        noEmit: true,
        composite: false,
        incremental: false,
        allowImportingTsExtensions: true,
        rewriteRelativeImportExtensions: false,
        isolatedDeclarations: false,
        types: ["node"],
        typeRoots: [join(repository, "node_modules/@types")],
      },
      files: [...files.keys()],
    };
    await writeFile(join(folder, "tsconfig.json"), JSON.stringify(config));
    const shim = `#!/bin/sh\nexec '${process.execPath}' '${join(repository, "packages/cli/src/main.ts")}' "$@"\n`;
    await writeFile(join(folder, "weft"), shim, { mode: 0o755 });
    if (programs.length + lines.length === 0) return;
    cluster = await startTestCluster();
    if (files.has("tasks.ts")) await cluster.worker({ files: [join(folder, "tasks.ts")] });
    await cluster.worker({ files: [FIXTURES] });
  });
  afterAll(async () => {
    await cluster?.stop();
    await rm(folder, { recursive: true });
  });

  if (files.size > 0)
    test("its snippets compile", async () => {
      const told = await run(TSC, ["--project", folder]).then(
        () => "",
        (error: { readonly stdout: string }) => error.stdout,
      );
      expect(told).toBe("");
    });

  test.each(programs)("$file prints what the page says", async ({ file, output }) => {
    const env = { ...process.env, WEFT_URL: cluster.server.url };
    const { stdout } = await run(process.execPath, [join(folder, file)], { env, timeout: 20_000 });
    expect(stdout).toBe(output);
  });

  test.each(lines)("%s", async (line) => {
    const env = { ...process.env, WEFT_URL: cluster.server.url, PATH: `${folder}:${process.env.PATH}` };
    const shell = startShell(line, { cwd: folder, env });
    let isOver = false;
    void shell.exited.then(() => {
      isOver = true;
    });
    // Whoever waits for events gets some, of tasks that succeed and of tasks that fail.
    const weft = await cluster.client();
    await waitUntil(
      async () => {
        if (line.startsWith("weft events"))
          await Promise.all([weft.submit("echo", 1).settled(), weft.submit("fail", "an example").settled()]);
        return isOver;
      },
      { what: line, story: shell.output, timeoutMs: 20_000 },
    );
    expect({ code: await shell.exited, output: shell.output() }).toMatchObject({ code: 0 });
  });
});
