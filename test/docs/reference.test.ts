/** What the pages list is what there is: links, error codes, limits, variables, flags. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import * as limits from "@weft/protocol";
import { describe, expect, test } from "vitest";
import { exitCodeOf } from "../../packages/cli/src/exit-code.ts";
import { newInvocation } from "../../packages/cli/src/invocation.ts";
import { programOf } from "../../packages/cli/src/program.ts";
import { codeIn, page, pages, repository, rowsOf, textOf } from "./pages.ts";

const sources = readdirSync(join(repository, "packages"))
  .flatMap((name) =>
    readdirSync(join(repository, "packages", name, "src"), { recursive: true, encoding: "utf8" }).map(
      (path) => join("packages", name, "src", path),
    ),
  )
  .filter((path) => path.endsWith(".ts"))
  .map((path) => readFileSync(join(repository, path), "utf8"));
const source = sources.join("\n");

/** As GitHub makes them. */
function anchorsOf(text: string): ReadonlySet<string> {
  const heads = text.replace(/^```.*?^```$/gms, "").matchAll(/^#+ (.*)$/gm);
  return new Set(
    [...heads].map(([, head = ""]) =>
      head
        .toLowerCase()
        .replace(/[^\w\- ]/g, "")
        .replaceAll(" ", "-"),
    ),
  );
}

describe("links", () => {
  test.each(pages())("of $path lead somewhere", ({ path, text }) => {
    const links = [...text.replace(/^```.*?^```$/gms, "").matchAll(/\]\(([^)\s]+)\)/g)].map(
      ([, link = ""]) => link,
    );
    const broken = links.filter((link) => {
      if (/^https:\/\/(?:nats\.io|keepachangelog\.com)(?:\/|$)/.test(link)) return false;
      const [file = "", anchor] = link.split("#");
      const target = file === "" ? path : join(dirname(path), file);
      if (!existsSync(join(repository, target))) return true;
      return anchor !== undefined && !anchorsOf(textOf(target)).has(anchor);
    });
    expect(broken).toEqual([]);
  });

  test("of the index lead to every page", () => {
    const index = textOf("docs/README.md");
    for (const name of readdirSync(join(repository, "docs")))
      if (name !== "README.md") expect(index).toContain(`](${name})`);
  });
});

describe("docs/errors.md", () => {
  const sections = [...textOf("docs/errors.md").matchAll(/^## (\w+)\n\n`(\w+)`, exit code (\d)\./gm)];

  test("has every code, and no other", () => {
    const codes = new Set([...source.matchAll(/"(weft_[a-z_]+)"/g)].map(([, code]) => code));
    expect(sections.map(([, code]) => code).toSorted()).toEqual([...codes].toSorted());
  });

  test.each(sections.map(([, code = "", name = "", exit = ""]) => ({ code, name, exit })))(
    "has $code right",
    ({ code, name, exit }) => {
      expect(exitCodeOf(Object.assign(new Error("told"), { code }))).toBe(Number(exit));
      // The code is in the body of the class of that name.
      expect(source).toMatch(new RegExp(`class ${name} extends [^]{0,1200}?"${code}"`));
    },
  );
});

const UNITS = new Map([
  ["KiB", 1024],
  ["MiB", 1024 ** 2],
]);

test("docs/limits.md has every limit with its number", () => {
  const told = new Map(
    rowsOf(page("docs/limits.md")).map(([, value, constant]) => [codeIn(constant) ?? "", value ?? ""]),
  );
  const names = [...textOf("packages/protocol/src/limits.ts").matchAll(/^export const (\w+)/gm)].map(
    ([, name = ""]) => name,
  );
  expect([...told.keys()].filter((name) => /^[A-Z_]+$/.test(name)).toSorted()).toEqual(names.toSorted());
  const exported = new Map<string, unknown>(Object.entries(limits));
  for (const name of names) {
    const [, number = "", unit = ""] =
      /^([\d,]+)(?: (KiB|MiB|characters))?$/.exec(told.get(name) ?? "") ?? [];
    const value = Number(number.replaceAll(",", "")) * (UNITS.get(unit) ?? 1);
    expect({ name, value }).toEqual({ name, value: exported.get(name) });
  }
});

describe("docs/configuration.md", () => {
  const rows = rowsOf(page("docs/configuration.md"));

  test("has every variable that the packages read, and no other", () => {
    const read = new Set([...source.matchAll(/\bWEFT_[A-Z_]+\b/g)].map(([name]) => name));
    const told = rows.map(([first]) => codeIn(first)).filter((name) => name?.startsWith("WEFT_"));
    expect(told.toSorted()).toEqual([...read].toSorted());
  });

  test("has every flag of every command, and no other", async () => {
    const told = rows.flatMap(([commands = "", flag]) =>
      codeIn(flag)?.startsWith("--") === true
        ? commands.split(", ").map((name) => `${name} ${codeIn(flag)}`)
        : [],
    );
    const program = await programOf(newInvocation());
    const help = program.helpInformation();
    const real: string[] = [];
    for (const command of program.commands) {
      const [own = ""] = command.helpInformation().split("\nGlobal Options:");
      for (const [, flag] of own.matchAll(/^ {2}(--[a-z-]+)/gm)) real.push(`${command.name()} ${flag}`);
    }
    expect(told.toSorted()).toEqual(real.toSorted());
    const common = [...help.matchAll(/^ {2}(--[a-z-]+)/gm)].map(([, flag]) => flag);
    expect(rows.map(([flag]) => codeIn(flag)).filter((flag) => flag?.startsWith("--"))).toEqual(common);
  });

  test.each([
    ["Client", ["packages/client/src/client.ts", "ClientOptions"]],
    ["Worker", ["packages/worker/src/worker.ts", "WorkerOptions"]],
    ["Coordinator", ["packages/coordinator/src/shell/coordinator.ts", "CoordinatorOptions"]],
  ] as const)("has every option of the %s", (title, [path, type]) => {
    const [, own = ""] = new RegExp(`type ${type} = [^{]*\\{(.*?)\\n\\};`, "s").exec(textOf(path)) ?? [];
    const [, shared = ""] =
      /type ConnectionOptions = \{(.*?)\n\};/s.exec(textOf("packages/transport/src/connection.ts")) ?? [];
    const options = [...`${own}${shared}`.matchAll(/^ {2}readonly (\w+)\??:/gm)].map(([, name = ""]) => name);
    const [, section = ""] =
      new RegExp(`## ${title}\\n(.*?)(?=\\n## |$)`, "s").exec(textOf("docs/configuration.md")) ?? [];
    expect(options.length).toBeGreaterThan(3);
    expect(options.filter((name) => !section.includes(`\`${name}\``))).toEqual([]);
  });
});

test("a command that a page tells to run with pnpm is a script, with flags that are there", () => {
  const { scripts } = JSON.parse(textOf("package.json")) as {
    readonly scripts: Readonly<Record<string, string>>;
  };
  const told = pages().flatMap(({ text }) =>
    [...text.matchAll(/npx -y pnpm@12 (?:-s )?([\w:]+)/g)].map(([, name = ""]) => name),
  );
  expect(told).toContain("demo");
  expect([...new Set(told)].filter((name) => name !== "exec" && !(name in scripts))).toEqual([]);
});

test("the promises of the README name tests that are there", () => {
  const [, promises = ""] = /## What it promises\n(.*?)\n## /s.exec(textOf("README.md")) ?? [];
  const rows = rowsOf({ path: "README.md", text: promises }).slice(1);
  expect(rows.length).toBeGreaterThan(8);
  for (const [promise, tests = ""] of rows) {
    const files = [...tests.matchAll(/\]\(([^)]+)\)/g)].map(([, file = ""]) => file);
    expect({
      promise,
      files: files.filter((file) => /^(?:test|packages)\/.*\.ts$/.test(file)).length,
    }).toEqual({ promise, files: files.length });
    expect(files).not.toEqual([]);
  }
});
