import { stat } from "node:fs/promises";
import { runCommand } from "./command.ts";
import { NatsServerTooOldError, NatsServerUnusableError, reasonOf } from "./errors.ts";
import type { NatsServerVersion } from "./version.ts";
import { isSupported, parseVersion } from "./version.ts";

export type InspectedBinary = { readonly path: string; readonly version: NatsServerVersion };

const versionTimeoutMs = 10_000;

/**
 * Runs `PATH --version` and tells the version. Running it is the point: a binary of another platform, or one that
 * needs a newer libc, looks right until it is started.
 *
 * @throws NatsServerUnusableError if it is missing or does not answer; NatsServerTooOldError below the oldest
 * supported version.
 */
export async function inspectBinary(path: string, env: NodeJS.ProcessEnv): Promise<InspectedBinary> {
  const version = parseVersion(await askVersion(path, env));
  if (version === undefined) throw new NatsServerUnusableError(path, "it does not tell a version");
  if (!isSupported(version)) throw new NatsServerTooOldError(path, version);
  return { path, version };
}

async function askVersion(path: string, env: NodeJS.ProcessEnv): Promise<string> {
  try {
    if (!(await stat(path)).isFile()) throw new Error("it is not a file");
    return await runCommand(path, ["--version"], { env, timeoutMs: versionTimeoutMs });
  } catch (error) {
    const missing = error instanceof Error && "code" in error && error.code === "ENOENT";
    throw new NatsServerUnusableError(path, missing ? "there is no such file" : reasonOf(error), {
      cause: error,
    });
  }
}
