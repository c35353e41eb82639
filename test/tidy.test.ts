/** The house rules that neither the compiler nor the linter knows. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { basename, dirname, join, normalize, relative } from "node:path";
import { expect, test } from "vitest";

const root = join(import.meta.dirname, "..");
const linesMax = 400;

/** Which packages the source of a package may import, beside itself. */
const arrows: Readonly<Record<string, readonly string[]>> = {
  protocol: [],
  transport: ["protocol"],
  client: ["protocol", "transport"],
  worker: ["protocol", "transport"],
  coordinator: ["protocol", "transport"],
  testing: ["protocol", "transport", "client", "worker", "coordinator"],
  cli: ["protocol", "transport", "client", "worker", "coordinator", "testing"],
};

const patterns = {
  vagueName: /^(?:types?|utils?|helpers?|common|managers?|misc|shared)$/,
  leftover: /\b(?:TODO|FIXME|XXX|HACK)\b|\b(?:test|it|describe)\.todo\b/,
  sleep: /\bsetTimeout\(\s*(?:resolve|done|r)\b|\bawait (?:sleep|delay|setTimeout)\(/,
  host: /\b(?:registry|mirrors?|deb|ftp|archive|packages|pypi|crates|proxy)\.[\w-]+\.(?:org|com|net|io|dev)\b/,
  machinePath: /(?<![\w./])\/(?:work|root|home\/\w+)\//,
  unmerged: /^(?:<{7}|={7}|>{7})(?: |$)/,
  making:
    /\b(?:this|spine|proof|next|later|earlier|previous) (?:issue|session)\b|\bissues? #?\d+\b|\bthe brief\b/i,
} as const;

const generated = new Set(["node_modules", "dist", "coverage", "report", ".git", ".weft", "pnpm-lock.yaml"]);

function filesUnder(folder: string): string[] {
  return readdirSync(join(root, folder), { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    if (generated.has(entry.name)) return [];
    return entry.isDirectory() ? filesUnder(path) : entry.isFile() ? [path] : [];
  });
}

const files = filesUnder(".");
const source = files.filter((path) => /\.(?:ts|mjs)$/.test(path));
const textOf = (path: string): string => readFileSync(join(root, path), "utf8");
const jsonOf = (path: string): unknown => JSON.parse(textOf(path));

/** Every line of the files that the pattern matches, as `path:line: text`. */
function linesWith(pattern: RegExp, paths: readonly string[]): string[] {
  return paths.flatMap((path) =>
    textOf(path)
      .split("\n")
      .flatMap((line, index) => (pattern.test(line) ? [`${path}:${index + 1}: ${line.trim()}`] : [])),
  );
}

function importsOf(path: string): string[] {
  const statements = /\b(?:from|import)\s*\(?\s*"([^"\n]+)"/g;
  return [...textOf(path).matchAll(statements)].flatMap(([, specifier]) => specifier ?? []);
}

// This file is the one that has to name what no other may.
const others = files.filter((path) => path !== relative(root, import.meta.filename));

test("the walk sees the whole repo", () => {
  for (const name of Object.keys(arrows)) expect(files).toContain(`packages/${name}/src/index.ts`);
  expect(readdirSync(join(root, "packages")).sort()).toEqual(Object.keys(arrows).sort());
  expect(files).toContain(".ci/run");
});

test.each([
  ["vagueName", "helpers"],
  ["leftover", "// TODO: later"],
  ["leftover", 'test.todo("x")'],
  ["sleep", "await new Promise((resolve) => setTimeout(resolve, 50));"],
  ["sleep", "await delay(50);"],
  ["host", "https://registry.example.org/weft"],
  ["machinePath", 'cd("/root/weft")'],
  ["making", "Left for the next session."],
  ["making", "See issue 12."],
  ["unmerged", "<<<<<<< HEAD"],
] as const)("the pattern %s catches: %s", (name, line) => {
  expect(line).toMatch(patterns[name]);
});

test("no source file is longer than 400 lines", () => {
  const long = source.map((path) => ({ path, lines: textOf(path).split("\n").length - 1 }));
  expect(long.filter(({ lines }) => lines > linesMax)).toEqual([]);
});

test("a file is named in kebab-case, after the noun that it defines", () => {
  const names = source.map((path) => ({
    path,
    name: basename(path).replace(/\.(?:test|config|d)?\.?(?:ts|mjs)$/, ""),
  }));
  expect(
    names.filter(({ name }) => !/^[a-z0-9]+(?:-[a-z0-9]+)*$/.test(name) || patterns.vagueName.test(name)),
  ).toEqual([]);
});

test("no compiler left its output among the sources", () => {
  expect(files.filter((path) => /\.(?:d\.ts|js|map|tsbuildinfo)$/.test(path))).toEqual([]);
});

test("nothing is left to do later", () => {
  expect(linesWith(patterns.leftover, others)).toEqual([]);
});

test("no merge is left unfinished", () => {
  expect(linesWith(patterns.unmerged, others)).toEqual([]);
});

test("a test waits for a condition, it does not sleep", () => {
  const tests = others.filter((path) => path.endsWith(".test.ts"));
  expect(tests.length).toBeGreaterThan(0);
  expect(linesWith(patterns.sleep, tests)).toEqual([]);
});

test("no file names a package registry or a mirror, or a path of one machine", () => {
  expect(linesWith(patterns.host, [...others, "pnpm-lock.yaml"])).toEqual([]);
  expect(linesWith(patterns.machinePath, others)).toEqual([]);
});

test("the product speaks of itself only, not of how it was made", () => {
  expect(linesWith(patterns.making, others)).toEqual([]);
});

test("packages import in the direction of the arrows, and declare what they import", () => {
  const wrong = Object.entries(arrows).flatMap(([name, allowed]) => {
    const folder = `packages/${name}`;
    const manifest = jsonOf(`${folder}/package.json`) as { dependencies?: Record<string, string> };
    const declared = Object.keys(manifest.dependencies ?? {}).filter((dependency) =>
      dependency.startsWith("@weft/"),
    );
    const paths = source.filter((path) => path.startsWith(`${folder}/src/`));
    const imported = paths.flatMap((path) =>
      importsOf(path).flatMap((specifier) => {
        if (specifier.startsWith("@weft/")) return specifier.split("/").slice(0, 2).join("/");
        const leaves =
          specifier.startsWith(".") && !normalize(join(dirname(path), specifier)).startsWith(`${folder}/`);
        return leaves ? `${path} imports ${specifier}` : [];
      }),
    );
    const permitted = new Set(allowed.map((dependency) => `@weft/${dependency}`));
    return [...new Set([...declared, ...imported])]
      .filter((found) => !permitted.has(found))
      .map((found) => `${name}: ${found}`);
  });
  expect(wrong).toEqual([]);
});

test("a core imports the protocol and itself, nothing else", () => {
  const wrong = source.flatMap((path) => {
    const core = /^packages\/[^/]+\/src\/core\//.exec(path)?.[0];
    if (core === undefined) return [];
    return importsOf(path)
      .filter((specifier) => specifier !== "@weft/protocol")
      .filter(
        (specifier) =>
          !specifier.startsWith(".") || !normalize(join(dirname(path), specifier)).startsWith(core),
      )
      .map((specifier) => `${path}: ${specifier}`);
  });
  expect(wrong).toEqual([]);
});

test("every source file is compiled: its folder is a project that the root project leads to", () => {
  const projects = new Set<string>();
  const visit = (folder: string): void => {
    if (projects.has(folder)) return;
    projects.add(folder);
    const { references = [] } = jsonOf(join(folder, "tsconfig.json")) as { references?: { path: string }[] };
    for (const { path } of references) visit(normalize(join(folder, path)));
  };
  visit(".");
  projects.delete(".");
  const nearest = (path: string): string => {
    const folder = dirname(path);
    return folder === "." || existsSync(join(root, folder, "tsconfig.json")) ? folder : nearest(folder);
  };
  const typescript = source.filter((path) => path.endsWith(".ts") && path.includes("/"));
  expect([...new Set(typescript.map(nearest))].filter((folder) => !projects.has(folder))).toEqual([]);
});

test("a core is compiled without Node and without timers", () => {
  const cores = source.flatMap((path) => /^packages\/[^/]+\/src\/core(?=\/)/.exec(path)?.[0] ?? []);
  expect(cores).toContain("packages/coordinator/src/core");
  for (const folder of new Set(cores)) {
    const { compilerOptions } = jsonOf(`${folder}/tsconfig.json`) as { compilerOptions: unknown };
    expect(compilerOptions).toMatchObject({ lib: ["ES2023"], types: [] });
  }
});
