/** The Docker engine that the container suites run on, or why there is none. */
import { execFile, execFileSync } from "node:child_process";

const PROBE_TIMEOUT_MS = 15_000;
const COMMAND_TIMEOUT_MS = 240_000;
const OUTPUT_BYTES_MAX = 16 * 1024 ** 2;

/** Null where an engine and its compose plugin answer. */
export const noEngine: string | null = process.env.WEFT_NO_ENGINE || probe();

function probe(): string | null {
  for (const args of [
    ["version", "--format", "{{.Server.Version}}"],
    ["compose", "version"],
  ]) {
    try {
      execFileSync("docker", args, { timeout: PROBE_TIMEOUT_MS, stdio: ["ignore", "ignore", "pipe"] });
    } catch (error) {
      const { stderr, message } = error as Error & { readonly stderr?: Buffer };
      return `docker ${args[0]} fails: ${(stderr?.toString() || message).trim().split("\n").at(-1)}`;
    }
  }
  return null;
}

/** Runs the docker command to its end and gives back what it printed. Rejects with what it said where it fails. */
export async function docker(args: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<string> {
  return new Promise((resolve, reject) => {
    execFile(
      "docker",
      args,
      {
        // BuildKit is a plugin of its own, which not every engine has.
        env: { ...process.env, DOCKER_BUILDKIT: "0", ...env },
        timeout: COMMAND_TIMEOUT_MS,
        maxBuffer: OUTPUT_BYTES_MAX,
      },
      (error, stdout, stderr) => {
        if (error === null) resolve(stdout);
        else reject(new Error(`docker ${args.join(" ")} failed:\n${stdout}${stderr || error.message}`));
      },
    );
  });
}
