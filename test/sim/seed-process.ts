/**
 * Plays seeds in a process of its own, where a bug can be put in. It ends with the test that started it, however that ends:
 * with a bug in it a seed may play for ever, and one that nobody waits for any more would keep a core.
 */
import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import { onTestFinished } from "vitest";

export type SeedProcess = {
  readonly pid: number | undefined;
  /** Resolves when it has ended by itself. */
  readonly ended: Promise<{ readonly code: number | null; readonly output: string }>;
};

const MAIN = fileURLToPath(new URL("./main.ts", import.meta.url));
const OUTPUT_CHARS_MAX = 100_000;

/** To be called in a test. */
export function startSeeds(...args: readonly string[]): SeedProcess {
  const child = spawn(process.execPath, [MAIN, ...args], { stdio: ["ignore", "pipe", "pipe"] });
  const kill = (): void => void child.kill("SIGKILL");
  let output = "";
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding("utf8").on("data", (text: string) => {
      output = (output + text).slice(-OUTPUT_CHARS_MAX);
    });
  const closed = new Promise<number | null>((resolve) => child.once("close", resolve));
  // Vitest may end this process before the test has finished.
  process.once("exit", kill);
  onTestFinished(async () => {
    kill();
    await closed;
    process.off("exit", kill);
  });
  return { pid: child.pid, ended: closed.then((code) => ({ code, output })) };
}
