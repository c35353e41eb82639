/** What `weft dev` runs: a nats-server, a coordinator and a worker, each a process of its own, and what happens in them. */
import { createNamespace } from "@weft/coordinator";
import type { NatsServer } from "@weft/testing";
import { Cluster } from "../cluster.ts";
import { describeEvent } from "../cluster-event.ts";
import { EventFeed, NO_FILTER } from "../event-feed.ts";
import { type Running, runInForeground } from "../foreground.ts";
import type { Globals } from "../invocation.ts";
import type { Output } from "../output.ts";
import { type WorkerFlags, workerArgs } from "../worker-flags.ts";
import { type DevServer, startDevServer } from "./dev-server.ts";
import { Part } from "./part.ts";

export type DevClusterOptions = WorkerFlags & {
  readonly storeDir?: string;
  readonly port?: number;
  readonly memory?: boolean;
};

/** A log in memory takes no more of it than this. */
const MEMORY_LOG_BYTES_MAX: number = 256 * 1024 ** 2;
const FILE_LOG_BYTES_MAX: number = 1024 ** 3;

/** Resolves when it was told to stop. Rejects with `PartEndedError` where a part cannot be kept running. */
export async function runDevCluster(
  files: readonly string[],
  options: DevClusterOptions,
  globals: Globals,
): Promise<void> {
  const { address, output } = globals;
  const { namespace, connectTimeoutMs } = address;
  const isMemory = options.memory === true;
  const { storeDir, port } = options;
  const parts: Part[] = [];
  let cluster: Cluster | null = null;
  let dev: DevServer | null = null;
  let stopping: Promise<void> | null = null;
  const stopAll = async (): Promise<void> => {
    // Workers finish what they run while there is still a coordinator to tell, and both before the server.
    for (const part of parts.toReversed()) await part.stop();
    await cluster?.close();
    await dev?.stop();
  };
  const stop = (): Promise<void> => {
    stopping ??= stopAll();
    return stopping;
  };
  const start = async (): Promise<Running> => {
    dev = await startDevServer({
      memory: isMemory,
      note: output.log,
      ...(storeDir === undefined ? {} : { storeDir }),
      ...(port === undefined ? {} : { port }),
    });
    const { server } = dev;
    const startPart = async (
      title: string,
      stdout: "inherit" | 2,
      args: readonly string[],
    ): Promise<void> => {
      const where = ["--url", server.url, "--namespace", namespace, ...(output.json ? ["--json"] : [])];
      const part = new Part({ title, args: [...args, ...where], stdout, log: output.log });
      parts.push(part);
      await part.untilReady();
    };
    cluster = await Cluster.open({ servers: [server.url], namespace, connectTimeoutMs });
    await createNamespace(cluster.connection.nats, namespace, {
      durability: isMemory ? "memory" : "standard",
      logBytesMax: isMemory ? MEMORY_LOG_BYTES_MAX : FILE_LOG_BYTES_MAX,
    });
    await startPart("coordinator", 2, ["coordinator"]);
    await printEvents(cluster, output);
    // With --json standard output is for events alone.
    if (files.length > 0)
      await startPart("worker", output.json ? 2 : "inherit", ["worker", ...files, ...workerArgs(options)]);
    tellReady(server, namespace, isMemory, output);
    return { stop, ended: Promise.race([serverEnd(server), ...parts.map((part) => part.ended)]) };
  };
  try {
    await runInForeground({
      start,
      abandon: () => {
        for (const part of parts) part.kill();
        dev?.server.kill();
      },
      log: output.log,
    });
  } finally {
    await stop();
  }
}

async function printEvents(cluster: Cluster, output: Output): Promise<void> {
  const feed = new EventFeed(cluster, NO_FILTER, (event) => {
    output.answer({ subject: event.subject, ...event.fields }, [describeEvent(event, feed.nameOf)]);
  });
  await feed.start();
  await feed.learnNames();
}

function tellReady(server: NatsServer, namespace: string, isMemory: boolean, output: Output): void {
  const flags = `--url ${server.url}${namespace === "default" ? "" : ` --namespace ${namespace}`}`;
  const store = isMemory ? ", keeping nothing" : `, store ${server.storeDir}`;
  output.log(`the cluster is ready: nats-server ${server.version} at ${server.url}${store}`);
  output.log(`submit with: weft submit NAME JSON --watch ${flags}`);
}

async function serverEnd(server: NatsServer): Promise<Error> {
  const { code, signal } = await server.exited;
  return new Error(
    `nats-server ${signal === null ? `ended with code ${code}` : `was ended by ${signal}`}\n${server.logs()}`.trim(),
  );
}
