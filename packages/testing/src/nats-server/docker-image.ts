import { join } from "node:path";
import { findOnPath, runCommand } from "./command.ts";

/** A pull may take its time; an engine that is not there answers at once. */
const createTimeoutMs = 180_000;
const copyTimeoutMs = 60_000;

/** Copies the binary out of the official container image, without running it; returns its path in `folder`. */
export async function copyFromDockerImage(
  version: string,
  folder: string,
  env: NodeJS.ProcessEnv,
): Promise<string> {
  if (process.platform !== "linux") throw new Error(`its binary does not run on ${process.platform}`);
  if ((await findOnPath("docker", env)).length === 0) throw new Error("no docker on the PATH");
  const created = await runCommand("docker", ["create", `nats:${version}`], {
    env,
    timeoutMs: createTimeoutMs,
  });
  // The progress of a pull may come first; the id is the last thing said.
  const container = created.trim().split(/\s+/).at(-1);
  if (container === undefined || container === "") throw new Error("docker create named no container");
  try {
    const binary = join(folder, "nats-server");
    await runCommand("docker", ["cp", `${container}:/nats-server`, binary], {
      env,
      timeoutMs: copyTimeoutMs,
    });
    return binary;
  } finally {
    // A container that stays behind was never started and holds nothing: not worth failing for.
    await runCommand("docker", ["rm", container], { env, timeoutMs: copyTimeoutMs }).catch(() => undefined);
  }
}
