/** The Docker engine that the container suites run on, or why there is none. */
import { execFile, execFileSync } from "node:child_process";

const PROBE_TIMEOUT_MS = 15_000;
const COMMAND_TIMEOUT_MS = 240_000;
const OUTPUT_BYTES_MAX = 16 * 1024 ** 2;

/** Why no image of ours can run here. Null where an engine answers. */
export const noEngine: string | null =
  process.env.WEFT_NO_ENGINE ||
  whyForeign() ||
  whyMissing("docker", ["version", "--format", "{{.Server.Version}}"]);

/** Why docker-compose.yml cannot be brought up here. Null where its plugin answers as well. */
export const noCompose: string | null =
  noEngine ?? whyMissing("docker", ["compose", "version"]) ?? whyMissing("wget", ["--version"]);

/** The title of a suite, which says why its tests are skipped where they are. */
export function titleOf(suite: string, missing: string | null): string {
  return missing === null ? suite : `${suite}: skipped, ${missing}`;
}

/** The images are made of this machine's programs. */
function whyForeign(): string | null {
  return process.platform === "linux" ? null : `the programs of ${process.platform} do not run in containers`;
}

function whyMissing(program: string, args: readonly string[]): string | null {
  try {
    execFileSync(program, args, { timeout: PROBE_TIMEOUT_MS, stdio: ["ignore", "ignore", "pipe"] });
    return null;
  } catch (error) {
    const { stderr, message } = error as Error & { readonly stderr?: Buffer };
    const complaint = (stderr?.toString() || message).trim().split("\n").at(0);
    return `${program} ${args[0]} fails: ${complaint}`;
  }
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
