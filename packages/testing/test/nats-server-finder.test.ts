import { existsSync, mkdirSync, readdirSync, readFileSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { cacheFolder } from "../src/nats-server/cache.ts";
import {
  NatsServerNotFoundError,
  NatsServerTooOldError,
  NatsServerUnusableError,
} from "../src/nats-server/errors.ts";
import { findNatsServer } from "../src/nats-server/finder.ts";
import {
  fakeServerBody,
  makePath,
  temporaryFolder,
  writeFakeServer,
  writeScript,
} from "./nats-server-support.ts";

const nobodyListens = "http://127.0.0.1:3";
const platform = `${process.platform}-${process.arch}`;

function environment(settings: NodeJS.ProcessEnv = {}): NodeJS.ProcessEnv {
  return {
    PATH: makePath([]),
    WEFT_CACHE: temporaryFolder(),
    WEFT_NATS_DOWNLOAD: nobodyListens,
    ...settings,
  };
}

function cached(cache: string, version: string): string {
  return join(cache, "nats-server", `v${version}-${platform}`, "nats-server");
}

async function failure(env: NodeJS.ProcessEnv): Promise<unknown> {
  return findNatsServer({ env }).then(
    (found) => expect.fail(`found ${found.path}`),
    (error: unknown) => error,
  );
}

describe("WEFT_NATS_SERVER", () => {
  test("is taken before one on the PATH", async () => {
    const named = writeFakeServer(join(temporaryFolder(), "mine"), "2.12.3");
    const env = environment({
      WEFT_NATS_SERVER: named,
      PATH: makePath([], { "nats-server": fakeServerBody("2.15.1") }),
    });
    expect(await findNatsServer({ env })).toEqual({ path: named, version: "2.12.3", way: "environment" });
  });

  test("is never replaced by another one when it does not work", async () => {
    const good = makePath([], { "nats-server": fakeServerBody("2.15.1") });
    const folder = temporaryFolder();
    const text = join(folder, "text");
    writeFileSync(text, "no program");
    const mute = writeScript(join(folder, "mute"), "exit 3");
    const other = writeScript(join(folder, "other"), "echo hello");
    const expectations: readonly (readonly [string, RegExp])[] = [
      [join(folder, "missing"), /there is no such file/],
      [folder, /it is not a file/],
      [text, /EACCES/],
      [mute, /exited with 3/],
      [other, /does not tell a version/],
    ];
    for (const [path, reason] of expectations) {
      const error = await failure(environment({ PATH: good, WEFT_NATS_SERVER: path }));
      expect(error).toBeInstanceOf(NatsServerUnusableError);
      expect(error).toMatchObject({ path, message: expect.stringMatching(reason) });
    }
  });

  test("is refused by name and version when it is too old", async () => {
    const old = writeFakeServer(join(temporaryFolder(), "nats-server"), "2.9.10");
    const error = await failure(environment({ WEFT_NATS_SERVER: old }));
    expect(error).toBeInstanceOf(NatsServerTooOldError);
    expect(error).toMatchObject({
      code: "weft_nats_server_too_old",
      message: `nats-server 2.9.10 at ${old} is too old: Weft needs 2.12 or newer`,
    });
  });
});

describe("the PATH", () => {
  test("gives the first that is new enough, before the cache", async () => {
    const old = makePath([], { "nats-server": fakeServerBody("2.9.10") });
    const good = makePath([], { "nats-server": fakeServerBody("2.12.0") });
    const env = environment({ PATH: [old, "relative/bin", "", good].join(":") });
    writeFakeServer(cached(cacheFolder(env), "2.15.1"), "2.15.1");
    expect(await findNatsServer({ env })).toEqual({
      path: join(good, "nats-server"),
      version: "2.12.0",
      way: "path",
    });
  });

  test("is passed over when all it has is too old", async () => {
    const env = environment({ PATH: makePath([], { "nats-server": fakeServerBody("2.10.27") }) });
    const path = writeFakeServer(cached(cacheFolder(env), "2.15.1"), "2.15.1");
    expect(await findNatsServer({ env })).toEqual({ path, version: "2.15.1", way: "cache" });
  });
});

describe("the cache", () => {
  test("gives its newest binary that works", async () => {
    const env = environment();
    const cache = cacheFolder(env);
    writeFakeServer(cached(cache, "2.9.30"), "2.9.30");
    const path = writeFakeServer(cached(cache, "2.14.7"), "2.14.7");
    writeFakeServer(cached(cache, "2.12.1"), "2.12.1");
    writeScript(cached(cache, "2.15.1"), "exit 1");
    mkdirSync(join(cache, "nats-server", `v2.16.0-${platform}`));
    mkdirSync(join(cache, "nats-server", ".fetch-abc"));
    expect(await findNatsServer({ env })).toEqual({ path, version: "2.14.7", way: "cache" });
  });

  test("is where the user wants it, else where the system keeps caches", () => {
    expect(cacheFolder({ WEFT_CACHE: "/w", XDG_CACHE_HOME: "/x", HOME: "/h" })).toBe("/w");
    expect(cacheFolder({ WEFT_CACHE: "", XDG_CACHE_HOME: "/x", HOME: "/h" })).toBe("/x/weft");
    expect(cacheFolder({ XDG_CACHE_HOME: "relative", HOME: "/h" })).toBe("/h/.cache/weft");
    expect(cacheFolder({ HOME: "/h" })).toBe("/h/.cache/weft");
  });

  test("is rid of what a killed fetch left behind, but not of a fetch that still runs", async () => {
    const env = environment();
    const folder = join(cacheFolder(env), "nats-server");
    for (const name of [".fetch-old", ".fetch-new"]) mkdirSync(join(folder, name), { recursive: true });
    const yesterday = new Date(Date.now() - 24 * 60 * 60 * 1000);
    utimesSync(join(folder, ".fetch-old"), yesterday, yesterday);
    await failure(env);
    expect(readdirSync(folder)).toEqual([".fetch-new"]);
  });
});

describe("Docker", () => {
  const engine = (log: string): string => `
    echo "$*" >> ${log}
    case "$1" in
      create) echo "Pulling from library/nats" >&2; echo 0123abcd ;;
      cp) printf '#!/bin/sh\\n%s\\n' '${fakeServerBody("2.14.7")}' > "$3" ;;
      rm) ;;
      *) exit 64 ;;
    esac`;

  test("is the last resort: the binary is copied out of the image of the pinned release", async () => {
    const log = join(temporaryFolder(), "log");
    const env = environment({ PATH: makePath(["sh"], { docker: engine(log) }) });
    const found = await findNatsServer({ env });
    expect(found).toEqual({ path: cached(cacheFolder(env), "2.14.7"), version: "2.14.7", way: "docker" });
    expect(readLines(log)).toEqual([
      "create nats:2.14.7",
      expect.stringMatching(/^cp 0123abcd:\/nats-server \/.*\/nats-server$/),
      "rm 0123abcd",
    ]);
    expect(await findNatsServer({ env: { ...env, PATH: makePath([]) } })).toEqual({ ...found, way: "cache" });
  });

  test("leaves no container behind when the copy fails", async () => {
    const log = join(temporaryFolder(), "log");
    const docker = engine(log).replace(/cp\).*;;/, "cp) echo 'no such file' >&2; exit 1 ;;");
    const error = await failure(environment({ PATH: makePath(["sh"], { docker }) }));
    expect(reasons(error).docker).toBe("docker cp exited with 1: no such file");
    expect(readLines(log).at(-1)).toBe("rm 0123abcd");
  });
});

describe("when no way leads to a nats-server", () => {
  test("the error names each way with its reason, in the order of trying", async () => {
    const docker = "echo 'Cannot connect to the Docker daemon' >&2; exit 1";
    const PATH = makePath(["sh"], { "nats-server": fakeServerBody("2.9.10"), docker });
    const env = environment({ PATH });
    const error = await failure(env);
    expect(error).toBeInstanceOf(NatsServerNotFoundError);
    expect(error).toMatchObject({
      code: "weft_nats_server_not_found",
      attempts: [
        { way: "environment", reason: "not set" },
        {
          way: "path",
          reason: `nats-server 2.9.10 at ${join(PATH, "nats-server")} is too old: Weft needs 2.12 or newer`,
        },
        { way: "cache", reason: `nothing in ${join(cacheFolder(env), "nats-server")}` },
        { way: "download", reason: expect.stringContaining("ECONNREFUSED") },
        { way: "package_manager", reason: "no apt-get on the PATH" },
        { way: "docker", reason: "docker create exited with 1: Cannot connect to the Docker daemon" },
      ],
    });
    for (const { reason } of (error as NatsServerNotFoundError).attempts) {
      expect((error as NatsServerNotFoundError).message).toContain(reason);
    }
  });

  test("a fetched binary that does not run on this machine is not kept", async () => {
    const docker = `
      case "$1" in
        create) echo 0123abcd ;;
        cp) printf '#!/bin/sh\\necho "GLIBC_2.99 not found" >&2; exit 1\\n' > "$3" ;;
      esac`;
    const env = environment({ PATH: makePath(["sh"], { docker }) });
    const error = await failure(env);
    expect(reasons(error).docker).toContain("GLIBC_2.99 not found");
    expect(readdirSync(join(cacheFolder(env), "nats-server"))).toEqual([]);
  });
});

function reasons(error: unknown): Readonly<Record<string, string>> {
  if (!(error instanceof NatsServerNotFoundError)) throw error;
  return Object.fromEntries(error.attempts.map(({ way, reason }) => [way, reason]));
}

function readLines(path: string): readonly string[] {
  expect(existsSync(path)).toBe(true);
  return readFileSync(path, "utf8").trim().split("\n");
}
