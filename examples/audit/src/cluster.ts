/** What the demo runs on: a nats-server, a coordinator and two workers, each a process of its own, as in production. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { findNatsServer, type NatsServer, startNatsServer } from "@weft/testing";

type DemoWorker = { readonly pid: number; readonly kill: () => void };

export type DemoCluster = {
  readonly url: string;
  readonly natsVersion: string;
  readonly workers: readonly DemoWorker[];
  readonly stop: () => Promise<void>;
};

const WEFT = fileURLToPath(new URL("../../../packages/cli/src/main.ts", import.meta.url));
const TASKS = fileURLToPath(new URL("./tasks.ts", import.meta.url));
const WORKERS = 2;
const LOG_LINES_MAX = 50;

/** `note` is told when it takes longer, as a download does. */
export async function startCluster(note: (text: string) => void): Promise<DemoCluster> {
  const { path: binary } = await findNatsServer({ onProgress: note });
  const server = await startNatsServer({ binary });
  const parts: ChildProcess[] = [];
  const stop = async (): Promise<void> => {
    for (const part of parts.toReversed()) await stopPart(part);
    await server.stop();
  };
  try {
    parts.push(await startPart(server, "coordinator", "--create"));
    const starting = Array.from({ length: WORKERS }, () => startPart(server, "worker", TASKS));
    const workers = await Promise.all(starting);
    parts.push(...workers);
    return {
      url: server.url,
      natsVersion: server.version,
      workers: workers.map((worker) => ({ pid: worker.pid ?? 0, kill: () => void worker.kill("SIGKILL") })),
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** `--with-parent`: it says when it is ready, and ends when this process does, however that is. */
async function startPart({ url }: NatsServer, ...args: readonly string[]): Promise<ChildProcess> {
  const child = spawn(process.execPath, [WEFT, ...args, "--url", url, "--with-parent"], {
    stdio: ["ignore", "ignore", "pipe", "ipc"],
    // Ctrl-C is for the demo, which then stops its parts.
    detached: true,
  });
  const log: string[] = [];
  child.stderr?.setEncoding("utf8").on("data", (text: string) => {
    log.push(text);
    if (log.length > LOG_LINES_MAX) log.shift();
  });
  const ended = once(child, "exit").then(() => {
    throw new Error(`the ${args[0]} did not start:\n${log.join("")}`);
  });
  await Promise.race([once(child, "message"), ended]);
  ended.catch(() => undefined);
  return child;
}

async function stopPart(part: ChildProcess): Promise<void> {
  if (part.exitCode !== null || part.signalCode !== null) return;
  const exited = once(part, "exit");
  part.kill("SIGTERM");
  await exited;
}
