/** The first stage of the Dockerfile, step by step and without an engine: what it copies is enough for what it runs. */
import { execFileSync } from "node:child_process";
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";

const repository = fileURLToPath(new URL("../../", import.meta.url));
const [, stage = ""] = readFileSync(join(repository, "Dockerfile"), "utf8").split(/^FROM .*$/m);
const [, copied = ""] = /^COPY (package\.json .*) \.\/$/m.exec(stage) ?? [];
const [, install = ""] = /^RUN (npx .*) \\$/m.exec(stage) ?? [];

test("what the Dockerfile copies is enough to install the command and to run it", () => {
  const ignored = readFileSync(join(repository, ".dockerignore"), "utf8").split("\n");
  const folder = mkdtempSync(join(tmpdir(), "weft-dockerfile-"));
  try {
    for (const name of [...copied.split(" "), "packages"]) {
      expect(ignored).toContain(`!${name}`);
      cpSync(join(repository, name), join(folder, name), {
        recursive: true,
        filter: (path) => !/\/(?:node_modules|dist|test)$/.test(path),
      });
    }
    execFileSync("bash", ["-c", install], { cwd: folder, stdio: ["ignore", "ignore", "inherit"] });
    // Nothing that only development needs.
    const store = readdirSync(join(folder, "node_modules", ".pnpm"));
    expect(store.filter((name) => /^(?:vitest|typescript|@biomejs|node@)/.test(name))).toEqual([]);
    const help = execFileSync(process.execPath, [join(folder, "packages/cli/src/main.ts"), "--help"], {
      encoding: "utf8",
    });
    expect(help).toContain("Usage: weft");
  } finally {
    rmSync(folder, { recursive: true });
  }
});
