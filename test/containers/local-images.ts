/**
 * Images made from what is on this machine, under the names that docker-compose.yml and testcontainers use: no image can
 * be pulled everywhere, and what is tested is ours, not a base image.
 */
import { execFileSync } from "node:child_process";
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { findNatsServer } from "@weft/testing";
import { docker } from "./engine.ts";

const repository = fileURLToPath(new URL("../../", import.meta.url));

export const NATS_IMAGE = "weft-test/nats:local";
export const WEFT_IMAGE = "weft-test/weft:local";
const NODE_IMAGE = "weft-test/node:local";
const FILES_IMAGE = "weft-test/files:local";

/** A base made from nothing: the nats-server, its libc, and the wget of the health check. */
export async function buildNatsImage(): Promise<void> {
  const { path } = await findNatsServer();
  await inFolder(async (folder) => {
    addProgram(folder, path, "/nats-server");
    addProgram(folder, which("wget"), "/usr/bin/wget");
    mkdirSync(join(folder, "data"));
    await build(folder, NATS_IMAGE, `FROM scratch\nCOPY . /\nENTRYPOINT ["/nats-server"]\n`);
  });
}

/** The last stage of the Dockerfile as it stands, on a base with this machine's Node, with what is installed here. */
export async function buildWeftImage(): Promise<void> {
  await inFolder(async (folder) => {
    addProgram(folder, realpathSync(process.execPath), "/usr/local/bin/node");
    await build(folder, NODE_IMAGE, "FROM scratch\nCOPY . /\n");
  });
  await inFolder(async (folder) => {
    addWorkspace(folder);
    await build(folder, FILES_IMAGE, "FROM scratch\nCOPY . /\n");
  });
  await inFolder(async (folder) => {
    const stages = readFileSync(join(repository, "Dockerfile"), "utf8").split(/^(?=FROM )/m);
    const last = stages.at(-1) ?? "";
    const text = `ARG NODE_IMAGE\nFROM ${FILES_IMAGE} AS files\n${last}`;
    await build(folder, WEFT_IMAGE, text, "--build-arg", `NODE_IMAGE=${NODE_IMAGE}`);
  });
}

/** What was built; an image that was not is no error. */
export async function removeImages(): Promise<void> {
  await docker(["image", "rm", "--force", WEFT_IMAGE, FILES_IMAGE, NODE_IMAGE, NATS_IMAGE]);
}

/** A program with the libraries that it loads, each where it is here. */
function addProgram(folder: string, from: string, to: string): void {
  for (const library of librariesOf(from)) copy(library, join(folder, library));
  copy(from, join(folder, to));
  chmodSync(join(folder, to), 0o755);
}

function librariesOf(program: string): readonly string[] {
  let listed: string;
  try {
    listed = execFileSync("ldd", [program], { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] });
  } catch {
    // Linked statically: it needs none.
    return [];
  }
  return [...listed.matchAll(/(?:=> |^\s*)(\/\S+)/gm)].map(([, path = ""]) => path);
}

/** As the first stage of the Dockerfile installs it: the packages, what they depend on, and the two that task files import. */
function addWorkspace(folder: string): void {
  const home = join(folder, "opt", "weft");
  cpSync(join(repository, "packages"), join(home, "packages"), {
    recursive: true,
    verbatimSymlinks: true,
    filter: (path) => !/\/(?:test|dist|\.cache)$/.test(path),
  });
  const store = join("node_modules", ".pnpm");
  for (const name of productionStore()) {
    cpSync(join(repository, store, name), join(home, store, name), {
      recursive: true,
      verbatimSymlinks: true,
    });
  }
  cpSync(join(repository, "package.json"), join(home, "package.json"));
  const links = join(folder, "node_modules", "@weft");
  mkdirSync(links, { recursive: true });
  for (const name of ["worker", "client"]) symlinkSync(`/opt/weft/packages/${name}`, join(links, name));
}

/** The entries of pnpm's store that the packages need at run time. */
function productionStore(): ReadonlySet<string> {
  const found = new Set<string>();
  const visit = (folder: string): void => {
    const manifest: unknown = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
    for (const name of dependenciesOf(manifest)) {
      const link = [
        join(folder, "node_modules", name),
        join(folder, "..", name),
        join(folder, "..", "..", name),
      ].find(existsSync);
      const [, entry] =
        /\/node_modules\/\.pnpm\/([^/]+)\//.exec(link === undefined ? "" : realpathSync(link)) ?? [];
      if (link === undefined || entry === undefined || found.has(entry)) continue;
      found.add(entry);
      visit(realpathSync(link));
    }
  };
  for (const name of ["protocol", "transport", "coordinator", "worker", "client", "testing", "cli"]) {
    visit(join(repository, "packages", name));
  }
  return found;
}

function dependenciesOf(manifest: unknown): readonly string[] {
  const { dependencies } = manifest as { readonly dependencies?: Readonly<Record<string, string>> };
  return Object.keys(dependencies ?? {});
}

async function build(
  folder: string,
  tag: string,
  dockerfile: string,
  ...args: readonly string[]
): Promise<void> {
  const file = join(folder, "Dockerfile.local");
  writeFileSync(file, dockerfile);
  writeFileSync(join(folder, "Dockerfile.local.dockerignore"), "Dockerfile.local*\n");
  await docker(["build", "--quiet", "--tag", tag, "--file", file, ...args, folder]);
}

async function inFolder(work: (folder: string) => Promise<void>): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "weft-image-"));
  try {
    await work(folder);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function copy(from: string, to: string): void {
  mkdirSync(dirname(to), { recursive: true });
  cpSync(realpathSync(from), to);
}

function which(program: string): string {
  return execFileSync("which", [program], { encoding: "utf8" }).trim();
}
