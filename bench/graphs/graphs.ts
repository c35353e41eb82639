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

export const graphs: Workload = {
  name: "graphs",
  summary: "a fan, a chain, a lattice, trees and a random graph of no-op tasks, against the limit",
  headline: "makespanMs",
  defaultCount: 100_000,
  rivals: [],
  async run(setting) {
    const contenders = [await startWeft(setting), await startLimit(setting)];
    const warmUpCount = Math.ceil(setting.amounts.count * WARMUP_SHARE);
    const rounds = await alternate(setting, { contenders, runs: GRAPHS, warmUpCount: () => warmUpCount });
    return { rounds, settings: { warmup_count: warmUpCount } };
  },
};

async function startWeft(setting: Setting): Promise<Contender<GraphName>> {
  const coordinator = await setting.startChild(new URL("../latency/weft-coordinator.ts", import.meta.url));
  const worker = await setting.startChild(new URL("./weft-worker.ts", import.meta.url));
  const client = await setting.startChild<GraphClientContract>(new URL("./weft-client.ts", import.meta.url));
  return contender(WEFT, { client, worker, coordinator }, setting.server.pid);
}

async function startLimit(setting: Setting): Promise<Contender<GraphName>> {
  const coordinator = await setting.startChild(new URL("./limit-coordinator.ts", import.meta.url));
  const worker = await setting.startChild(new URL("./limit-worker.ts", import.meta.url));
  const client = await setting.startChild<GraphClientContract>(new URL("./limit-client.ts", import.meta.url));
  return contender(LIMIT, { client, worker, coordinator }, setting.server.pid);
}

function contender(
  name: string,
  processes: Processes & { readonly client: Child<GraphClientContract> },
  serverPid: number,
): Contender<GraphName> {
  return {
    name,
    runs: GRAPHS,
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
