/** A small tree of packages, with every kind of finding in it. */
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";

const licence = (id: string): Promise<string> =>
  readFile(new URL(`../licences/${id}.txt`, import.meta.url), "utf8");

export type FixtureFiles = Readonly<Record<string, string>>;

export async function auditFixture(): Promise<FixtureFiles> {
  const mit = `MIT License\n\nCopyright (c) Somebody\n\n${await licence("MIT")}`;
  return {
    "plain/package.json": JSON.stringify({ name: "plain", version: "1.0.0", license: "MIT" }),
    "plain/LICENSE": mit,
    "plain/index.js": "export {};\n",
    "plain/node_modules/twice/package.json": JSON.stringify({
      name: "twice",
      version: "2.0.0",
      license: "MIT",
    }),
    "twice/package.json": JSON.stringify({ name: "twice", version: "1.10.0", license: "MIT" }),
    "twice/LICENSE": mit,
    "@scope/differs/package.json": JSON.stringify({
      name: "@scope/differs",
      version: "0.1.0",
      license: "MIT",
    }),
    "@scope/differs/LICENSE.md": await licence("Apache-2.0"),
    "broken/package.json": "{ this is no JSON",
    "nasty/package.json": JSON.stringify({
      name: "nasty<script>alert(1)</script>",
      version: "|`1`",
      license: "\"'&",
    }),
    "no-package/readme.md": "none",
  };
}

/** Writes the files into `folder/node_modules`. */
export async function installFixture(folder: string, files: FixtureFiles): Promise<void> {
  for (const [path, content] of Object.entries(files)) {
    const at = join(folder, "node_modules", ...path.split("/"));
    await mkdir(dirname(at), { recursive: true });
    await writeFile(at, content);
  }
}
