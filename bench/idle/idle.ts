/** What a cluster costs in which nothing happens: a leader, a standby, a worker, a client, and their nats-server. */
import { setTimeout as pause } from "node:timers/promises";
import type { Child } from "../child.ts";
import type { Contract } from "../child-contract.ts";
import type { GraphClientContract } from "../graphs/contract.ts";
import { Rounds, type Sample, WEFT } from "../rounds.ts";
import { serverCpuUs } from "../server-cpu.ts";
import type { Setting, Workload } from "../workload.ts";
import type { TapContract } from "./contract.ts";

/** Until nothing is left of the start: compiling, and collecting garbage. */
const SETTLE_MS = 8_000;
/** The count is in tenths of a second. */
const MS_PER_COUNT = 100;
const TASKS_BEFORE = 1_000;

export const idle: Workload = {
  name: "idle",
  summary: "the processor's time and the messages of a cluster in which nothing happens",
  headline: "cpuPercent",
  defaultCount: 50,
  rivals: [],
  async run(setting) {
    const cluster = await startCluster(setting);
    setting.say("letting it come to rest");
    await pause(SETTLE_MS);
    const rounds = new Rounds();
    const windowMs = setting.amounts.count * MS_PER_COUNT;
    for (let round = 1; round <= setting.amounts.rounds; round++) {
      setting.say(`round ${round} of ${setting.amounts.rounds}`);
      rounds.add(WEFT, { cluster: await takeOf(cluster, windowMs) });
    }
    return { rounds, settings: { window_ms: windowMs, settle_ms: SETTLE_MS } };
  },
};

type Role = "leader" | "standby" | "worker" | "client";
type Cluster = Readonly<Record<Role, Pick<Child<Contract>, "cpuUs">>> & {
  readonly tap: Child<TapContract>;
  readonly serverPid: number;
};

async function startCluster(setting: Setting): Promise<Cluster> {
  const start = (entry: URL): Promise<Child<Contract>> => setting.startChild(entry);
  const leader = await start(new URL("../latency/weft-coordinator.ts", import.meta.url));
  const standby = await start(new URL("./standby.ts", import.meta.url));
  const worker = await start(new URL("../graphs/weft-worker.ts", import.meta.url));
  const client = await setting.startChild<GraphClientContract>(
    new URL("../graphs/weft-client.ts", import.meta.url),
  );
  const tap = await setting.startChild<TapContract>(new URL("./tap.ts", import.meta.url));
  // A cluster that has worked: handles have been settled, credits were given.
  await client.ask("run", { graph: "trees", count: TASKS_BEFORE });
  return { leader, standby, worker, client, tap, serverPid: setting.server.pid };
}

/** Percent of one core of each process, and messages a second: one after the other, for to count them costs something. */
async function takeOf(cluster: Cluster, windowMs: number): Promise<Sample> {
  const before = await cpuUsOf(cluster);
  const beganMs = performance.now();
  await pause(windowMs);
  const ms = performance.now() - beganMs;
  const after = await cpuUsOf(cluster);
  const percent = (name: Role | "server"): number => (after[name] - before[name]) / ms / 10;
  const messages = await cluster.tap.ask("count", windowMs);
  const own = {
    cpuLeaderPercent: percent("leader"),
    cpuStandbyPercent: percent("standby"),
    cpuWorkerPercent: percent("worker"),
    cpuClientPercent: percent("client"),
  };
  return {
    cpuPercent: Object.values(own).reduce((sum, each) => sum + each, 0),
    ...own,
    cpuServerPercent: percent("server"),
    messagesPerSecond: (messages * 1_000) / windowMs,
  };
}

async function cpuUsOf({
  leader,
  standby,
  worker,
  client,
  serverPid,
}: Cluster): Promise<Readonly<Record<Role | "server", number>>> {
  return {
    leader: await leader.cpuUs(),
    standby: await standby.cpuUs(),
    worker: await worker.cpuUs(),
    client: await client.cpuUs(),
    server: serverCpuUs(serverPid) ?? Number.NaN,
  };
}
