/** Removes what a run has left that was killed together with everything that would have removed it. */
import { readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { isProcessRunning } from "@weft/testing";

/** In the environment of every process of a run: its folder. */
export const RUN_VARIABLE = "WEFT_FAULTS_RUN";
const PREFIX = "weft-faults-";

export function folderPrefix(pid: number): string {
  return `${PREFIX}${pid}-`;
}

export async function removeLeftovers(tell: (line: string) => void): Promise<void> {
  for (const name of await readdir(tmpdir())) {
    const pid = /^weft-faults-(\d+)-/.exec(name)?.[1];
    if (pid === undefined || isProcessRunning(Number(pid))) continue;
    const folder = join(tmpdir(), name);
    for (const left of await processesOf(folder)) {
      tell(`ending process ${left} of a run that was killed`);
      endProcess(left);
    }
    tell(`removing ${folder} of a run that was killed`);
    await rm(folder, { recursive: true, force: true, maxRetries: 5 });
  }
}

/** Known by their environment, where the system shows it: a number alone may be another process by now. */
async function processesOf(folder: string): Promise<readonly number[]> {
  const found: number[] = [];
  for (const name of await readdir("/proc").catch((): string[] => [])) {
    if (!/^\d+$/.test(name)) continue;
    const environment = await readFile(join("/proc", name, "environ"), "utf8").catch(() => "");
    if (environment.split("\0").includes(`${RUN_VARIABLE}=${folder}`)) found.push(Number(name));
  }
  return found;
}

function endProcess(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch {
    // It has ended by itself.
  }
}
