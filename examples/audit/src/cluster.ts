/** What the demo runs on: a nats-server, a coordinator and two workers, each a process of its own, as in production. */
import { fileURLToPath } from "node:url";
import { findNatsServer, type NatsServer, startNatsServer } from "@weft/testing";
import { errorOf, howEnded, Part } from "./part.ts";

export type DemoCluster = {
  readonly server: NatsServer;
  readonly coordinator: Part;
  readonly workers: readonly Part[];
  /** Resolves if it can do no more work: it has lost its server, its coordinator or its last worker. */
  readonly broken: Promise<Error>;
  readonly stop: () => Promise<void>;
};

const TASKS = fileURLToPath(new URL("./tasks.ts", import.meta.url));
const WORKERS = 2;
/** When the demo ends, nothing runs any more; when it is interrupted, nobody needs what runs. */
const GRACE = "500ms";

/** `note` is told when it takes longer, as a download does. */
export async function startCluster(note: (text: string) => void): Promise<DemoCluster> {
  const { path: binary } = await findNatsServer({ onProgress: note });
  const server = await startNatsServer({ binary });
  const parts: Part[] = [];
  const start = (name: string, ...args: readonly string[]): Part => {
    const part = new Part(name, [...args, "--url", server.url]);
    parts.push(part);
    return part;
  };
  const stop = async (): Promise<void> => {
    // Workers finish what they run while there is still a coordinator to tell, and both before the server.
    const [coordinator, ...workers] = parts;
    await Promise.all(workers.map((worker) => worker.stop()));
    await coordinator?.stop();
    await server.stop();
  };
  try {
    const coordinator = start("the coordinator", "coordinator", "--create");
    await coordinator.untilReady();
    const workers = Array.from({ length: WORKERS }, (_, index) =>
      start(`worker ${index + 1}`, "worker", TASKS, "--grace", GRACE),
    );
    await Promise.all(workers.map((worker) => worker.untilReady()));
    return { server, coordinator, workers, broken: breakOf(server, coordinator, workers), stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

async function breakOf(server: NatsServer, coordinator: Part, workers: readonly Part[]): Promise<Error> {
  const serverEnd = server.exited.then(({ code, signal }) => ({
    what: `the nats-server ${howEnded(code, signal)}`,
    log: server.logs(),
  }));
  const lastWorker = Promise.all(workers.map((worker) => worker.ended)).then((ends) => ({
    what: `no worker is left: ${ends.map(({ what }) => what).join(", ")}`,
    log: ends.map(({ log }) => log).join(""),
  }));
  return errorOf(await Promise.race([serverEnd, coordinator.ended, lastWorker]));
}
