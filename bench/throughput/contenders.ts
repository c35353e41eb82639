/** Those that take turns: Weft, the limit, and the rivals. Each has three processes and a server. */
import type { Contender } from "../alternation.ts";
import type { Child } from "../child.ts";
import { type Processes, withCpuPerTask } from "../cpu.ts";
import type { Rival } from "../rivals/rivals.ts";
import { LIMIT, WEFT } from "../rounds.ts";
import type { Setting } from "../workload.ts";
import type { ClientContract } from "./contract.ts";
import { orderOf, SHAPES, type ShapeName } from "./shapes.ts";

type ContenderOptions = {
  readonly name: string;
  readonly processes: Processes & { readonly client: Child<ClientContract> };
  readonly serverPid: number;
  /** Of the tasks of a round, so that a round takes about as long as one of ours. */
  readonly tasksFactor?: (shape: ShapeName) => number;
};

/** So that it takes longer than the pauses of a machine. */
const limitFactor = (shape: ShapeName): number => (shape === "single_10kb" ? 1 : 2);

/** Rivals take a part of the tasks. */
const RIVAL_FACTORS: Readonly<Record<Rival, (shape: ShapeName) => number>> = {
  bullmq: () => 0.2,
  "graphile-worker": postgresFactor,
  "pg-boss": postgresFactor,
};

function postgresFactor(shape: ShapeName): number {
  return shape === "bulk_100" ? 0.4 : 0.05;
}

export async function startWeft(setting: Setting): Promise<Contender<ShapeName>> {
  const coordinator = await setting.startChild(new URL("../latency/weft-coordinator.ts", import.meta.url));
  const worker = await setting.startChild(new URL("./weft-worker.ts", import.meta.url));
  const client = await setting.startChild<ClientContract>(new URL("./weft-client.ts", import.meta.url));
  const { pid } = setting.server;
  return contender({ name: WEFT, processes: { client, worker, coordinator }, serverPid: pid });
}

export async function startLimit(setting: Setting): Promise<Contender<ShapeName>> {
  const coordinator = await setting.startChild(new URL("./limit-coordinator.ts", import.meta.url));
  const worker = await setting.startChild(new URL("./limit-worker.ts", import.meta.url));
  const client = await setting.startChild<ClientContract>(new URL("./limit-client.ts", import.meta.url));
  const { pid } = setting.server;
  return contender({
    name: LIMIT,
    processes: { client, worker, coordinator },
    serverPid: pid,
    tasksFactor: limitFactor,
  });
}

const entries: Readonly<Record<Rival, { readonly worker: URL; readonly client: URL }>> = {
  bullmq: {
    worker: new URL("./bullmq-worker.ts", import.meta.url),
    client: new URL("./bullmq-client.ts", import.meta.url),
  },
  "graphile-worker": {
    worker: new URL("./graphile-runner.ts", import.meta.url),
    client: new URL("./graphile-client.ts", import.meta.url),
  },
  "pg-boss": {
    worker: new URL("./pg-boss-worker.ts", import.meta.url),
    client: new URL("./pg-boss-client.ts", import.meta.url),
  },
};

export async function startRival(setting: Setting, rival: Rival): Promise<Contender<ShapeName>> {
  const { url, pid } = await setting.rivalServer(rival);
  const entry = entries[rival];
  const worker = await setting.startChild(entry.worker, url);
  const client = await setting.startChild<ClientContract>(entry.client, url);
  const processes = { client, worker };
  return contender({ name: rival, processes, serverPid: pid, tasksFactor: RIVAL_FACTORS[rival] });
}

function contender({
  name,
  processes,
  serverPid,
  tasksFactor = () => 1,
}: ContenderOptions): Contender<ShapeName> {
  return {
    name,
    runs: SHAPES.map((shape) => shape.name),
    async take(shape, tasks) {
      const order = orderOf(shape, tasks * tasksFactor(shape));
      const { result, cpu } = await withCpuPerTask(
        { processes, serverPid },
        () => processes.client.ask("run", order),
        () => order.count,
      );
      const { ms, p50, p99 } = result;
      return { [shape]: { perSecond: (order.count * 1_000) / ms, p50, p99, ...cpu } };
    },
  };
}
