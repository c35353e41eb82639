/** Whether what a cluster holds stays the same, however long it works: a constant load, for an hour. */
import { setTimeout as pause } from "node:timers/promises";
import type { Child } from "../child.ts";
import { Rounds, type Sample, type Shapes, WEFT } from "../rounds.ts";
import type { Setting, Workload } from "../workload.ts";
import type { Held, HeldContract, SoakClientContract } from "./contract.ts";
import { growthOf } from "./growth.ts";
import { LogSize } from "./log-size.ts";

const SAMPLES = 60;
const MS_PER_COUNT = 1_000;
const MS_PER_MINUTE = 60_000;
const LOAD = { perSecond: 1_000, bytes: 100 };

export const soak: Workload = {
  name: "soak",
  summary: "what each process and the log hold in the course of an hour of constant load",
  headline: "growth",
  defaultCount: 3_600,
  onlyByName: true,
  rivals: [],
  async run(setting) {
    const cluster = await startCluster(setting);
    await using log = await LogSize.open(setting.server.url);
    const apartMs = (setting.amounts.count * MS_PER_COUNT) / SAMPLES;
    const processes: Shapes<Held>[] = [];
    const logBytes: number[] = [];
    await cluster.client.ask("start", LOAD);
    const beganMs = performance.now();
    for (let number = 1; number <= SAMPLES; number++) {
      await pause(Math.max(0, beganMs + number * apartMs - performance.now()));
      const held = await heldBy(cluster);
      processes.push(held);
      logBytes.push(await log.bytes());
      setting.say(`sample ${number} of ${SAMPLES}: ${lineOf(held, logBytes.at(-1) ?? 0)}`);
    }
    const tasks = await cluster.client.ask("finish");
    const minutesApart = apartMs / MS_PER_MINUTE;
    const rounds = new Rounds();
    for (const name of Object.keys(cluster)) {
      const held = processes.flatMap((each) => each[name] ?? []);
      rounds.add(WEFT, { [name]: sampleOf(held, minutesApart) });
    }
    rounds.add(WEFT, { log: growthOf(logBytes, minutesApart) });
    return {
      rounds,
      settings: { rounds: 1, tasks, tasks_per_second: LOAD.perSecond, argument_bytes: LOAD.bytes },
    };
  },
};

type Cluster = {
  readonly coordinator: Child<HeldContract>;
  readonly worker: Child<HeldContract>;
  readonly client: Child<SoakClientContract>;
};

async function startCluster(setting: Setting): Promise<Cluster> {
  const coordinator = await setting.startChild<HeldContract>(new URL("./coordinator.ts", import.meta.url));
  const worker = await setting.startChild<HeldContract>(new URL("./worker.ts", import.meta.url));
  const client = await setting.startChild<SoakClientContract>(new URL("./client.ts", import.meta.url));
  return { coordinator, worker, client };
}

async function heldBy({ coordinator, worker, client }: Cluster): Promise<Shapes<Held>> {
  return {
    coordinator: await coordinator.ask("held"),
    worker: await worker.ask("held"),
    client: await client.ask("held"),
  };
}

function sampleOf(held: readonly Held[], minutesApart: number): Sample {
  const bytes = held.map((each) => each.heldBytes);
  const rss = held.map((each) => each.rssBytes);
  const { lateBytes: lateRssBytes, growth: rssGrowth } = growthOf(rss, minutesApart);
  return { ...growthOf(bytes, minutesApart), lateRssBytes, rssGrowth };
}

function lineOf(held: Shapes<Held>, logBytes: number): string {
  const all = Object.entries(held).map(([name, { heldBytes }]) => `${name} holds ${heldBytes}`);
  return `${all.join(", ")}, the log ${logBytes} bytes`;
}
