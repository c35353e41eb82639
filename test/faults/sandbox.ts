/**
 * The outer half of `pnpm faults`: it starts the run inside, and sees that nothing of it is left. Inside of namespaces
 * the kernel ends and removes everything with the run's first process; without, processes end with the one that started
 * them. The temporary folder has this process's id in its name: one that was killed leaves it to the next start.
 */
import { spawn } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Ground, PREPARE } from "./ground.ts";
import { folderPrefix, RUN_VARIABLE, removeLeftovers } from "./leftovers.ts";

export const GROUND_VARIABLE = "WEFT_FAULTS_GROUND";
const STOP_MAX_MS = 10_000;

export type SandboxOptions = {
  readonly ground: Ground;
  /** The program and its arguments. It is sent "stop" when it is to end early. */
  readonly command: readonly string[];
  readonly tell: (line: string) => void;
};

/** Runs it to its end; resolves with its exit code. */
export async function runInSandbox({ ground, command, tell }: SandboxOptions): Promise<number> {
  await removeLeftovers(tell);
  const folder = await mkdtemp(join(tmpdir(), folderPrefix(process.pid)));
  try {
    return await runIn(folder, ground, command);
  } finally {
    await rm(folder, { recursive: true, force: true, maxRetries: 5 });
  }
}

async function runIn(folder: string, ground: Ground, command: readonly string[]): Promise<number> {
  const inside =
    ground.type === "namespaces" ? ["sh", "-c", `${PREPARE}\nexec "$@"`, "faults", ...command] : command;
  const [file = "", ...args] = [...ground.wrap, ...inside];
  const child = spawn(file, args, {
    stdio: ["ignore", "inherit", "inherit", "ipc"],
    env: {
      ...process.env,
      TMPDIR: folder,
      [RUN_VARIABLE]: folder,
      // From their start on: a process that has to strip the types of its first module itself takes twice as long to start
      // as one that was installed, which has none.
      NODE_COMPILE_CACHE: join(folder, "compiled"),
      [GROUND_VARIABLE]: JSON.stringify(ground),
    },
  });
  let late: NodeJS.Timeout | undefined;
  const stop = (): void => {
    if (child.connected) child.send("stop", () => undefined);
    late ??= setTimeout(() => child.kill("SIGKILL"), STOP_MAX_MS);
  };
  process.on("SIGINT", stop);
  process.on("SIGTERM", stop);
  try {
    return await new Promise((resolve, reject) => {
      child.once("error", reject);
      child.once("exit", (code) => resolve(code ?? 1));
    });
  } finally {
    clearTimeout(late);
    process.off("SIGINT", stop);
    process.off("SIGTERM", stop);
  }
}
