/**
 * Makes what would be published, and checks it: compiles every package into its `dist`, packs them all, looks at each
 * as its users would get it, installs them somewhere else and imports them there.
 */
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { checkPackedPackage } from "./packed-package.ts";

const root = join(import.meta.dirname, "..");

/** Runs a command to its end; what it printed is shown only if it failed. */
function run(command: string, args: readonly string[], cwd: string): void {
  const { status, error, output } = spawnSync(command, args, {
    cwd,
    stdio: ["ignore", "pipe", "pipe"],
    encoding: "utf8",
  });
  if (error !== undefined) throw error;
  if (status === 0) return;
  process.stdout.write(output.join(""));
  throw new Error(`${command} ${args[0]} failed`);
}

function compile(): void {
  const packages = readdirSync(join(root, "packages")).map((name) => join("packages", name));
  // A file that an earlier build left, of a source that is gone, would be published too.
  for (const folder of packages) rmSync(join(root, folder, "dist"), { recursive: true, force: true });
  run("tsc", ["--build", ...packages], root);
}

function pack(folder: string): readonly string[] {
  mkdirSync(folder);
  run("pnpm", ["--recursive", "--filter", "./packages/*", "pack", "--pack-destination", folder], root);
  return readdirSync(folder).map((file) => join(folder, file));
}

/** Shows that what the packages declare is all that they need. */
function installAndImport(folder: string, tarballs: ReadonlyMap<string, string>): void {
  mkdirSync(folder);
  const files = Object.fromEntries([...tarballs].map(([name, path]) => [name, `file:${path}`]));
  const write = (name: string, content: unknown): void =>
    writeFileSync(join(folder, name), JSON.stringify(content));
  write("package.json", { private: true, type: "module", dependencies: files });
  write("pnpm-workspace.yaml", { overrides: files });
  const imports = [...tarballs.keys()].map((name) => `await import(${JSON.stringify(name)});`);
  writeFileSync(join(folder, "main.js"), imports.join("\n"));
  run("pnpm", ["install", "--prefer-offline", "--ignore-scripts", "--no-lockfile"], folder);
  run("node", ["main.js"], folder);
}

const folder = mkdtempSync(join(tmpdir(), "weft-build-"));
try {
  compile();
  const tarballs = new Map<string, string>();
  for (const path of pack(join(folder, "packed"))) {
    const { name, faults } = await checkPackedPackage(path);
    tarballs.set(name, path);
    console.log(`${name}: ${faults.length === 0 ? "fit to publish" : faults.join(" ")}`);
    if (faults.length > 0) process.exitCode = 1;
  }
  installAndImport(join(folder, "consumer"), tarballs);
  console.log(`${tarballs.size} packages installed and imported`);
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
} finally {
  rmSync(folder, { recursive: true, force: true });
}
