/** What a worker loads, and what it says of what it cannot. */
import { execFile } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { promisify } from "node:util";
import { DuplicateTaskError, UsageError } from "@weft/protocol";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { defineTask } from "../src/define-task.ts";
import { TaskRegistry } from "../src/task-registry.ts";

const add = defineTask("add", () => 1);

describe("a registry", () => {
  test("takes every definition that a module exports, under the definition's name, and nothing else", () => {
    const registry = new TaskRegistry();
    const module = {
      add,
      default: defineTask("by-default", () => 1),
      helper: () => 1,
      version: "1",
      nothing: null,
    };
    expect(registry.addModule(module, null, "here")).toBe(2);
    expect(registry.names).toEqual(["add", "by-default"]);
    expect(registry.get("add")).toMatchObject({ definition: add, moduleUrl: null, origin: "here (add)" });
    expect(registry.get("default")).toBeUndefined();
  });

  test("knows no task by a name that objects have", () => {
    const registry = new TaskRegistry();
    for (const name of ["constructor", "__proto__", "toString"]) expect(registry.get(name)).toBeUndefined();
  });

  test("takes one definition that is exported twice, or re-exported, as one task", () => {
    const registry = new TaskRegistry();
    expect(registry.addModule({ add, alias: add }, "file:///a.ts", "a.ts")).toBe(2);
    registry.addModule({ add }, "file:///b.ts", "b.ts");
    expect(registry.names).toEqual(["add"]);
    expect(registry.get("add")?.moduleUrl).toBe("file:///a.ts");
  });

  test("refuses a second definition of one name, and names both places", () => {
    const registry = new TaskRegistry();
    registry.addModule({ add }, "file:///a.ts", "a.ts");
    const other = (): unknown =>
      registry.addModule({ plus: defineTask("add", () => 2) }, "file:///b.ts", "b.ts");
    expect(other).toThrow(DuplicateTaskError);
    expect(other).toThrow(
      'two tasks are named "add": one in a.ts (add), one in b.ts (plus). Rename one of them',
    );
  });

  test("refuses a task for threads that has no file to load it from", () => {
    const threaded = defineTask("threaded", { executor: "thread" }, () => 1);
    const registry = new TaskRegistry();
    expect(() => registry.addModule({ threaded }, null, "here")).toThrow(UsageError);
    expect(() => registry.addModule({ threaded }, null, "here")).toThrow("start the worker with `files`");
    expect(registry.addModule({ threaded }, "file:///a.ts", "a.ts")).toBe(1);
  });
});

type Told = {
  readonly names?: string[];
  readonly name?: string;
  readonly message?: string;
  readonly file?: string;
};

/** Written at run time: most of these no compiler would take. */
const define = `import { defineTask } from ${JSON.stringify(new URL("../src/index.ts", import.meta.url).href)};\n`;
const texts: Readonly<Record<string, string>> = {
  "tasks.mjs": `${define}export const countPrimes = defineTask("count-primes", () => 1);\nexport default defineTask("other", () => 1);\n`,
  "again.mjs": `export { countPrimes } from "./tasks.mjs";\n`,
  "same.mjs": `${define}export const primes = defineTask("count-primes", () => 2);\n`,
  "syntax.mjs": `${define}export const add = defineTask("add", () => 1);\nexport const x = = 3;\n`,
  "syntax.mts": `${define}export const add = defineTask("add", () => 1);\nexport const x: number = = 3;\n`,
  "not-erasable.mts": `${define}\n\nenum Colour { Red }\nexport const add = defineTask("add", () => Colour.Red);\n`,
  "throws.mjs": `${define}\nfunction fail() {\n  throw new RangeError("not today");\n}\nfail();\n`,
  "throws-text.mjs": `throw "just text";\n`,
  "throws-nothing.mjs": `throw undefined;\n`,
  "rejects.mjs": `await Promise.reject(new TypeError("awaited"));\n`,
  "bad-name.mjs": `${define}\nexport const add = defineTask("Not A Name", () => 1);\n`,
  "imports-missing.mjs": `import "./missing.mjs";\n`,
  "imports-wrong-name.mjs": `import { add } from "./tasks.mjs";\n`,
  "imports-throwing.mjs": `import "./throws-deep.mjs";\n`,
  "throws-deep.mjs": `\nthrow new Error("deep");\n`,
  "no-tasks.mjs": `export const add = (a, b) => a + b;\nexport const list = [1];\n`,
  "empty.mjs": "",
  "with space & ümlaut.mjs": `${define}export const add = defineTask("add", () => 1);\n`,
};
const cases = [...Object.keys(texts), "absent.mjs", "."];
let folder: string;
const told = new Map<string, Told>();

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "weft-task-files-"));
  for (const [name, text] of Object.entries(texts)) await writeFile(join(folder, name), text);
  const both = `${join(folder, "tasks.mjs")},${join(folder, "same.mjs")}`;
  const files = [
    ...cases.map((name) => join(folder, name)),
    both,
    `${join(folder, "tasks.mjs")},${join(folder, "again.mjs")}`,
  ];
  files.push(pathToFileURL(join(folder, "with space & ümlaut.mjs")).href);
  const main = fileURLToPath(new URL("./load-files.ts", import.meta.url));
  const { stdout } = await promisify(execFile)(process.execPath, [main, ...files], { timeout: 60_000 });
  const answers = JSON.parse(stdout) as Told[];
  for (const [i, name] of [...cases, "both", "re-exported", "by URL"].entries())
    told.set(name, answers[i] ?? {});
});
afterAll(() => rm(folder, { recursive: true, force: true }));

describe("a file of tasks", () => {
  test.each([
    ["tasks.mjs", ["count-primes", "other"]],
    ["again.mjs", ["count-primes"]],
    ["re-exported", ["count-primes", "other"]],
    ["with space & ümlaut.mjs", ["add"]],
    ["by URL", ["add"]],
  ])("%s is loaded with its tasks", (name, names) => {
    expect(told.get(name)?.names?.sort()).toEqual(names);
  });

  test.each([
    ["syntax.mjs", ":3 does not load: SyntaxError: "],
    ["syntax.mts", ":3 does not load: SyntaxError: "],
    ["not-erasable.mts", ":4 does not load: SyntaxError: TypeScript enum is not supported"],
    ["throws.mjs", ":4 does not load: RangeError: not today"],
    ["rejects.mjs", ":1 does not load: TypeError: awaited"],
    ["bad-name.mjs", ":3 does not load: UsageError: a task name must be 1 to 64 characters"],
    ["imports-wrong-name.mjs", ":1 does not load: SyntaxError: The requested module './tasks.mjs'"],
  ])("%s that does not load is named with the line", (name, message) => {
    expect(told.get(name)).toMatchObject({ name: "TaskFileError", file: join(folder, name), hasCause: true });
    expect(told.get(name)?.message).toContain(join(folder, name) + message);
  });

  test.each([
    ["throws-text.mjs", " does not load: it throws 'just text'"],
    ["throws-nothing.mjs", " does not load: it throws undefined"],
    ["imports-missing.mjs", " does not load: Error: Cannot find module"],
  ])("%s that has no line to name is named itself, and nothing of Weft", (name, message) => {
    expect(told.get(name)?.name).toBe("TaskFileError");
    expect(told.get(name)?.message?.startsWith(join(folder, name) + message)).toBe(true);
    expect(told.get(name)?.message).not.toContain("task-registry");
  });

  test("that breaks in a file which it imports is told with that one's line, and who loaded it", () => {
    const { message, file } = told.get("imports-throwing.mjs") ?? {};
    expect(file).toBe(join(folder, "imports-throwing.mjs"));
    expect(message).toBe(
      `${join(folder, "throws-deep.mjs")}:2 (loaded by ${join(folder, "imports-throwing.mjs")}) does not load: Error: deep`,
    );
  });

  test.each(["no-tasks.mjs", "empty.mjs"])("%s without tasks says what to export", (name) => {
    expect(told.get(name)?.name).toBe("TaskFileError");
    expect(told.get(name)?.message).toBe(
      `${join(folder, name)} exports no task: export what \`defineTask\` returns`,
    );
  });

  test.each(["absent.mjs", "."])("that is not there, or is a folder, is called so: %s", (name) => {
    expect(told.get(name)?.name).toBe("TaskFileError");
    expect(told.get(name)?.message).toBe(`there is no file ${join(folder, name).replace(/\/\.$/, "")}`);
  });

  test("with a name that another one has is refused with both places", () => {
    expect(told.get("both")?.name).toBe("DuplicateTaskError");
    expect(told.get("both")?.message).toContain(
      `one in ${join(folder, "tasks.mjs")} (countPrimes), one in ${join(folder, "same.mjs")} (primes)`,
    );
  });
});
