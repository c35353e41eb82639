/** The rules that hold the architecture are only worth something if they fire: each is shown what it forbids. */
import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { cp, mkdir, mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, test } from "vitest";

const execute = promisify(execFile);
const root = join(import.meta.dirname, "..");
const core = "packages/coordinator/src/core";
const shell = "packages/coordinator/src/shell";

type Probe = { readonly folder: string; readonly code: string; readonly rule: string };

const inCore = (rule: string, ...codes: readonly string[]): Probe[] =>
  codes.map((code) => ({ folder: core, code, rule }));
const anywhere = (rule: string, ...codes: readonly string[]): Probe[] =>
  codes.map((code) => ({ folder: shell, code, rule }));

const union = `type Event = { type: "sent" } | { type: "lost" };\n`;

const forbidden: readonly Probe[] = [
  ...inCore(
    "lint/style/noRestrictedGlobals",
    "export const f = (): number => Date.now();",
    "export const f = (): unknown => new Date();",
    "export const f = (value: unknown): boolean => value instanceof Date;",
    "export type Stamp = Date;",
    "export const f = (): number => performance.now();",
    "export const f = (): unknown => globalThis.Date;",
    "export const f = (): unknown => process.env;",
    "export const f = (): unknown => setTimeout(f, 5);",
    "export const f = (): unknown => setInterval(f, 5);",
    "export const f = (): unknown => setImmediate(f);",
    "export const f = (): void => queueMicrotask(f);",
    "export const f = (): string => new Intl.NumberFormat().format(1);",
    "export const f = (): string => crypto.randomUUID();",
    "export const f = (): unknown => Promise.resolve();",
    "export const f = (): unknown => Buffer.alloc(1);",
  ),
  ...inCore(
    "lint/style/noRestrictedImports",
    `export { readFileSync } from "node:fs";`,
    `import type { Socket } from "node:net";\nexport type Peer = Socket;`,
    `export { connect } from "@nats-io/transport-node";`,
    `import { term } from "../shell/term.ts";\nexport const f = term;`,
    `import type { Term } from "../../shell/term.ts";\nexport type T = Term;`,
    `export const f = (): unknown => import("../shell/term.ts");`,
    `export { nanoid } from "nanoid";`,
  ),
  ...inCore("lint/correctness/noNodejsModules", `export { readFileSync } from "fs";`),
  ...inCore(
    "plugin",
    "export const f = (): number => Math.random();",
    "const { random } = Math;\nexport const f = random;",
    "export const f = Math;",
    `export const f = (): number => Math["random"]();`,
    "export const f = (x: number): number => Math.pow(2, x);",
    "export const f = (x: number): number => Math.exp(x);",
    "export const f = (x: number): number => Math.max(Math.log(x), 1);",
    "export const f = (x: number[]): number[] => x.map(Math.cbrt);",
    "export const f = (x: number): number => 2 ** x;",
    "export let x = 2;\nexport const f = (): void => {\n  x **= 2;\n};",
    "export const f = (a: string, b: string): number => a.localeCompare(b);",
    "export const f = (a: string[]): string[] => a.sort((b, c) => b?.localeCompare(c));",
    "export const f = (x: number): string => x.toLocaleString();",
    "export const f = async (x: PromiseLike<number>): PromiseLike<number> => await x;",
    "export const f = async (xs: AsyncIterable<number>): PromiseLike<void> => {\n  for await (const x of xs) f(x);\n};",
  ),
  ...anywhere(
    "lint/nursery/noFloatingPromises",
    "const send = async (): Promise<void> => {};\nexport const f = (): void => {\n  send();\n};",
    `import { send } from "./event.ts";\nexport const f = (): void => {\n  send();\n};`,
  ),
  ...anywhere(
    "lint/nursery/noMisusedPromises",
    "const ready = async (): Promise<boolean> => true;\nexport const f = (): number => (ready() ? 1 : 2);",
  ),
  ...anywhere(
    "lint/nursery/useExhaustiveSwitchCases",
    `${union}export function f(event: Event): void {\n  switch (event.type) {\n    case "sent":\n      break;\n  }\n}`,
    `import type { Event } from "./event.ts";\nexport function f(event: Event): void {\n  switch (event.type) {\n    case "sent":\n      break;\n  }\n}`,
  ),
  ...anywhere("lint/suspicious/noExplicitAny", "export const f = (x: any): unknown => x;"),
  ...anywhere("lint/style/noNonNullAssertion", "export const f = (x?: number): number => x!;"),
  ...anywhere("lint/correctness/useImportExtensions", `export type { Event } from "./event";`),
  ...anywhere("lint/style/useImportType", `import { Event } from "./event.ts";\nexport type Copy = Event;`),
  ...anywhere("lint/style/noDefaultExport", "export default 1;"),
  ...anywhere("lint/performance/noReExportAll", `export * from "./event.ts";`),
  ...anywhere("lint/style/noEnum", "export enum Colour {\n  red,\n}"),
  ...anywhere(
    "lint/complexity/useMaxParams",
    "export const f = (a: 1, b: 1, c: 1, d: 1, e: 1): number => a + b + c + d + e;",
  ),
  ...anywhere(
    "lint/complexity/noExcessiveLinesPerFunction",
    `export function f(): number[] {\n  const x: number[] = [];\n${"  x.push(1);\n".repeat(69)}  return x;\n}`,
  ),
  ...anywhere("lint/correctness/noUndeclaredDependencies", `export { rest } from "undeclared";`),
  {
    folder: "test",
    code: `import { test } from "vitest";\ntest.only("x", () => {});`,
    rule: "lint/suspicious/noFocusedTests",
  },
  {
    folder: "test",
    code: `import { test } from "vitest";\ntest.skip("x", () => {});`,
    rule: "lint/suspicious/noSkippedTests",
  },
];

const allowed: readonly Omit<Probe, "rule">[] = [
  { folder: core, code: `import type { TaskId } from "@weft/protocol";\nexport type Id = TaskId;` },
  {
    folder: core,
    code: "export const f = (x: number): number => Math.max(Math.floor(x), Math.abs(x), x * x);",
  },
  { folder: core, code: "export const f = (a: string, b: string): boolean => a < b;" },
  { folder: shell, code: "export const f = (): number => Date.now() + Math.random() + 2 ** 4;" },
  { folder: shell, code: `export { readFileSync } from "node:fs";` },
  { folder: "test", code: "export const f = (x?: number): number => x!;" },
];

type Diagnostic = { readonly category: string; readonly location: { readonly path: string } };

let folder = "";
let diagnostics: readonly Diagnostic[] = [];

const fileOf = (list: readonly unknown[], probe: { readonly folder: string }): string => {
  const kind = list === forbidden ? "forbidden" : "allowed";
  return `${probe.folder}/${kind}-${list.indexOf(probe)}.ts`;
};
const rulesThatFiredOn = (path: string): string[] =>
  diagnostics
    .filter((diagnostic) => diagnostic.location.path === path)
    .map((diagnostic) => diagnostic.category);

/** Lays out a repo with our rules and the probes as its source, and runs the linter over it once. */
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "weft-lint-"));
  const write = async (path: string, text: string): Promise<void> => {
    await mkdir(dirname(join(folder, path)), { recursive: true });
    await writeFile(join(folder, path), text);
  };
  await cp(join(root, "biome.json"), join(folder, "biome.json"));
  await cp(join(root, "tools/lint"), join(folder, "tools/lint"), { recursive: true });
  await write(
    "packages/coordinator/package.json",
    JSON.stringify({ dependencies: { "@weft/protocol": "1.0.0" } }),
  );
  await write(`${shell}/event.ts`, `export ${union}export const send = async (): Promise<void> => {};\n`);
  await write(`${shell}/there.ts`, `import { back } from "./back.ts";\nexport const there = back;\n`);
  await write(`${shell}/back.ts`, `import { there } from "./there.ts";\nexport const back = there;\n`);
  for (const probe of forbidden) await write(fileOf(forbidden, probe), `${probe.code}\n`);
  for (const probe of allowed) await write(fileOf(allowed, probe), `${probe.code}\n`);
  const args = ["lint", "--vcs-enabled=false", "--max-diagnostics=none", "--reporter=json", "."];
  const biome = join(root, "node_modules/.bin/biome");
  const output = await execute(biome, args, { cwd: folder }).catch((error: { stdout: string }) => error);
  diagnostics = (JSON.parse(output.stdout) as { diagnostics: Diagnostic[] }).diagnostics;
});

afterAll(async () => {
  await rm(folder, { recursive: true, force: true });
});

test.each(forbidden)("the linter refuses, by $rule: $code", (probe) => {
  expect(rulesThatFiredOn(fileOf(forbidden, probe))).toContain(probe.rule);
});

test.each(allowed)("the linter lets pass: $code", (probe) => {
  expect(rulesThatFiredOn(fileOf(allowed, probe))).toEqual([]);
});

test("the linter refuses two files that import each other", () => {
  expect(rulesThatFiredOn(`${shell}/there.ts`)).toContain("lint/suspicious/noImportCycles");
});

test("the compiler refuses what a core could tell the time by, wait with, or reach the machine through", async () => {
  const cores = (await readdir(join(root, "packages"))).map((name) =>
    join(root, "packages", name, "src/core"),
  );
  const names = [
    "setTimeout",
    "setInterval",
    "performance",
    "process",
    "Buffer",
    "console",
    "crypto",
    "fetch",
  ];
  for (const path of cores.filter((name) => existsSync(name))) {
    const compilerOptions = {
      composite: false,
      incremental: false,
      noEmit: true,
      rootDir: ".",
      tsBuildInfoFile: null,
    };
    const config = {
      extends: join(path, "tsconfig.json"),
      compilerOptions,
      files: ["clock.ts"],
      include: [],
    };
    await writeFile(join(folder, "tsconfig.json"), JSON.stringify(config));
    await writeFile(
      join(folder, "clock.ts"),
      names.map((name) => `export const a${name} = ${name};\n`).join(""),
    );
    const tsc = join(root, "node_modules/.bin/tsc");
    const output = await execute(tsc, ["-p", folder]).catch((error: { stdout: string }) => error);
    expect(names.filter((name) => !output.stdout.includes(`Cannot find name '${name}'`))).toEqual([]);
  }
});
