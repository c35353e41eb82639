import { execFile } from "node:child_process";
import { constants } from "node:fs";
import { access, stat } from "node:fs/promises";
import { delimiter, isAbsolute, join } from "node:path";

export type CommandOptions = {
  readonly env: NodeJS.ProcessEnv;
  readonly timeoutMs: number;
  readonly cwd?: string;
};

const outputBytesMax = 4 * 1024 * 1024;
const complaintCharsMax = 600;

/** Runs a program to its end and returns what it wrote to its standard output; throws with its complaint. */
export function runCommand(file: string, args: readonly string[], options: CommandOptions): Promise<string> {
  return new Promise((resolve, reject) => {
    const settings = {
      // The complaint becomes part of an error: keep it in one language.
      env: { ...options.env, LC_ALL: "C" },
      timeout: options.timeoutMs,
      killSignal: "SIGKILL" as const,
      maxBuffer: outputBytesMax,
      encoding: "utf8" as const,
      ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
    };
    const child = execFile(file, args, settings, (error, stdout, stderr) => {
      if (error === null) resolve(stdout);
      else
        reject(new Error(describe([file, ...args.slice(0, 1)].join(" "), error, stderr, options.timeoutMs)));
    });
    // Nothing here answers questions: a program that asks gets the end of its input, not a hang.
    child.stdin?.end();
  });
}

function describe(
  name: string,
  error: Error & { code?: string | number | null; killed?: boolean; signal?: string | null },
  stderr: string,
  timeoutMs: number,
): string {
  if (error.killed === true) return `${name} took longer than ${timeoutMs} ms`;
  const complaint = stderr
    .trim()
    .slice(-complaintCharsMax)
    .replaceAll(/\s*\n\s*/g, " | ");
  const how =
    typeof error.code === "number"
      ? `exited with ${error.code}`
      : `failed (${error.code ?? error.signal ?? error.message})`;
  return `${name} ${how}${complaint === "" ? "" : `: ${complaint}`}`;
}

/** Every executable file of this name on the PATH, in its order. */
export async function findOnPath(name: string, env: NodeJS.ProcessEnv): Promise<readonly string[]> {
  const fileName = process.platform === "win32" ? `${name}.exe` : name;
  const found = new Set<string>();
  for (const folder of (env.PATH ?? "").split(delimiter)) {
    // A relative entry would make the answer depend on the working folder.
    if (!isAbsolute(folder)) continue;
    const path = join(folder, fileName);
    if (await isExecutableFile(path)) found.add(path);
  }
  return [...found];
}

async function isExecutableFile(path: string): Promise<boolean> {
  try {
    await access(path, constants.X_OK);
    return (await stat(path)).isFile();
  } catch {
    return false;
  }
}
