/** How long graphs of no-op tasks take, submitted at once: what the hand-over from task to task costs. */
import { alternate, type Contender } from "../alternation.ts";
import type { Child } from "../child.ts";
import { type Processes, withCpuPerTask } from "../cpu.ts";
import { LIMIT, WEFT } from "../rounds.ts";
import type { Setting, Workload } from "../workload.ts";
import type { GraphClientContract } from "./contract.ts";
import { GRAPHS, type GraphName } from "./graph.ts";

/** Of the tasks of a round: enough for the compiler. */
const WARMUP_SHARE = 0.3;

/** What its flows can be. */
const BULLMQ_GRAPHS = ["fan", "chain"] as const satisfies readonly GraphName[];

export const graphs: Workload = {
  name: "graphs",
  summary: "a fan, a chain, a lattice, trees and a random graph of no-op tasks, against the limit",
  headline: "makespanMs",
  defaultCount: 100_000,
  rivals: ["bullmq"],
  async run(setting) {
    const contenders = [await startWeft(setting), await startLimit(setting)];
    if (setting.rivals.includes("bullmq")) contenders.push(await startBullmq(setting));
    const warmUpCount = Math.ceil(setting.amounts.count * WARMUP_SHARE);
    const rounds = await alternate(setting, { contenders, runs: GRAPHS, warmUpCount: () => warmUpCount });
    return { rounds, settings: { warmup_count: warmUpCount } };
  },
};

async function startWeft(setting: Setting): Promise<Contender<GraphName>> {
  const coordinator = await setting.startChild(new URL("../latency/weft-coordinator.ts", import.meta.url));
  const worker = await setting.startChild(new URL("./weft-worker.ts", import.meta.url));
  const client = await setting.startChild<GraphClientContract>(new URL("./weft-client.ts", import.meta.url));
  return contender({ name: WEFT, processes: { client, worker, coordinator }, serverPid: setting.server.pid });
}

async function startLimit(setting: Setting): Promise<Contender<GraphName>> {
  const coordinator = await setting.startChild(new URL("./limit-coordinator.ts", import.meta.url));
  const worker = await setting.startChild(new URL("../throughput/limit-worker.ts", import.meta.url));
  const client = await setting.startChild<GraphClientContract>(new URL("./limit-client.ts", import.meta.url));
  return contender({
    name: LIMIT,
    processes: { client, worker, coordinator },
    serverPid: setting.server.pid,
  });
}

async function startBullmq(setting: Setting): Promise<Contender<GraphName>> {
  const { url, pid } = await setting.rivalServer("bullmq");
  const worker = await setting.startChild(new URL("../throughput/bullmq-worker.ts", import.meta.url), url);
  const client = await setting.startChild<GraphClientContract>(
    new URL("./bullmq-client.ts", import.meta.url),
    url,
  );
  return contender({
    name: "bullmq",
    processes: { client, worker },
    serverPid: pid,
    runs: BULLMQ_GRAPHS,
  });
}

type ContenderOptions = {
  readonly name: string;
  readonly processes: Processes & { readonly client: Child<GraphClientContract> };
  readonly serverPid: number;
  readonly runs?: readonly GraphName[];
};

function contender({ name, processes, serverPid, runs = GRAPHS }: ContenderOptions): Contender<GraphName> {
  return {
    name,
    runs,
    async take(graph, count) {
      const { result, cpu } = await withCpuPerTask(
        { processes, serverPid },
        () => processes.client.ask("run", { graph, count }),
        ({ tasks }) => tasks,
      );
      return { [graph]: { makespanMs: result.ms, ...cpu } };
    },
  };
}
