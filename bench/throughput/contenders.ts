/** Those that take turns: Weft, the limit, and the rivals. Each has three processes and a server. */
import type { Contender } from "../alternation.ts";
import type { Child } from "../child.ts";
import type { Contract } from "../child-contract.ts";
import { LIMIT, type Sample, WEFT } from "../rounds.ts";
import { serverCpuUs } from "../server-cpu.ts";
import type { Setting } from "../workload.ts";
import type { ClientContract } from "./contract.ts";
import { orderOf, SHAPES, type ShapeName } from "./shapes.ts";

type Role = "client" | "worker" | "coordinator";
type Processes = { readonly client: Child<ClientContract> } & Readonly<
  Partial<Record<Role, Child<Contract> | Child<ClientContract>>>
>;
type ContenderOptions = {
  readonly name: string;
  readonly processes: Processes;
  readonly serverPid: number;
  readonly shapes?: readonly ShapeName[];
  /** Of the tasks of a round, so that a round takes about as long as one of ours. */
  readonly tasksFactor?: number;
};

/** Rivals take a part of the tasks. */
const RIVAL_FACTOR = 0.2;

export async function startWeft(setting: Setting): Promise<Contender<ShapeName>> {
  const coordinator = await setting.startChild(new URL("../latency/weft-coordinator.ts", import.meta.url));
  const worker = await setting.startChild(new URL("./weft-worker.ts", import.meta.url));
  const client = await setting.startChild<ClientContract>(new URL("./weft-client.ts", import.meta.url));
  const { pid } = setting.server;
  return contender({ name: WEFT, processes: { client, worker, coordinator }, serverPid: pid });
}

export async function startLimit(setting: Setting): Promise<Contender<ShapeName>> {
  const coordinator = await setting.startChild(new URL("../latency/limit-coordinator.ts", import.meta.url));
  const worker = await setting.startChild(new URL("./limit-worker.ts", import.meta.url));
  const client = await setting.startChild<ClientContract>(new URL("./limit-client.ts", import.meta.url));
  const { pid } = setting.server;
  return contender({ name: LIMIT, processes: { client, worker, coordinator }, serverPid: pid });
}

export async function startBullmq(setting: Setting): Promise<Contender<ShapeName>> {
  const { url, pid } = await setting.rivalServer("bullmq");
  const worker = await setting.startChild(new URL("./bullmq-worker.ts", import.meta.url), url);
  const client = await setting.startChild<ClientContract>(
    new URL("./bullmq-client.ts", import.meta.url),
    url,
  );
  const processes = { client, worker };
  return contender({ name: "bullmq", processes, serverPid: pid, tasksFactor: RIVAL_FACTOR });
}

function contender({
  name,
  processes,
  serverPid,
  shapes = SHAPES.map((shape) => shape.name),
  tasksFactor = 1,
}: ContenderOptions): Contender<ShapeName> {
  return {
    name,
    runs: shapes,
    async take(shape, tasks) {
      const order = orderOf(shape, tasks * tasksFactor);
      const before = await cpuUsOf(processes, serverPid);
      const { ms, p50, p99 } = await processes.client.ask("run", order);
      const after = await cpuUsOf(processes, serverPid);
      const cpu = Object.entries(after).map(([key, us]) => [key, (us - (before[key] ?? 0)) / order.count]);
      return { [shape]: { perSecond: (order.count * 1_000) / ms, p50, p99, ...Object.fromEntries(cpu) } };
    },
  };
}

/** Of each process so far, and of all together. */
async function cpuUsOf(processes: Processes, serverPid: number): Promise<Sample> {
  const { client, worker, coordinator } = processes;
  const all: Record<string, number> = { cpuClientUs: await client.cpuUs() };
  if (worker !== undefined) all.cpuWorkerUs = await worker.cpuUs();
  if (coordinator !== undefined) all.cpuCoordinatorUs = await coordinator.cpuUs();
  const server = serverCpuUs(serverPid);
  if (server !== null) all.cpuServerUs = server;
  return { ...all, cpuUs: Object.values(all).reduce((sum, us) => sum + us, 0) };
}
