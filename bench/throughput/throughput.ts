/** How many tasks a cluster settles in a second: no-op tasks, from one client through one worker, as fast as it goes. */
import type { Child } from "../child.ts";
import { type Measure, measureOf, type Ratio, ratioOf } from "../measure.ts";
import { type RedisServer, startRedisServer } from "../rivals/redis-server.ts";
import type { Result, Setting, Workload } from "../workload.ts";
import type { ClientContract, Order, Run } from "./contract.ts";

type Shape = Omit<Order, "count"> & { readonly name: string; readonly share: number };

/** `share`: of the tasks of a round, so that each shape takes about as long. */
const SHAPES: readonly Shape[] = [
  { name: "single", bytes: 100, perCall: 1, share: 1 },
  { name: "bulk_100", bytes: 100, perCall: 100, share: 1 },
  { name: "single_10kb", bytes: 10_000, perCall: 1, share: 0.2 },
];

const WARMUP_TASKS = 10_000;

type Contender = {
  readonly name: string;
  readonly client: Child<ClientContract>;
  readonly tasksFactor: number;
};
type Rounds = ReadonlyMap<string, Run[]>;

/** Rivals take a part of the tasks, so that a round of theirs takes about as long. */
const RIVAL_FACTOR = 0.2;

export const throughput: Workload = {
  name: "throughput",
  summary: "no-op tasks a second, one client and one worker, against the limit and BullMQ",
  defaultCount: 50_000,
  async run(setting) {
    const redis = setting.amounts.rivals ? setting.adopt(await startRedisServer()) : null;
    const contenders = [await startWeft(setting), await startLimit(setting)];
    if (redis !== null) contenders.push(await startBullmq(setting, redis));
    for (const contender of contenders) {
      setting.say(`warming up: ${contender.name}`);
      for (const shape of SHAPES) await take(contender, shape, WARMUP_TASKS);
    }
    const runs = new Map(
      contenders.map(({ name }) => [name, new Map(SHAPES.map((each) => [each.name, [] as Run[]]))]),
    );
    for (let round = 1; round <= setting.amounts.rounds; round++) {
      setting.say(`round ${round} of ${setting.amounts.rounds}`);
      const order = round % 2 === 1 ? contenders : contenders.toReversed();
      for (const shape of SHAPES) {
        for (const contender of order) {
          const run = await take(contender, shape, setting.amounts.count);
          runs.get(contender.name)?.get(shape.name)?.push(run);
        }
      }
    }
    return resultOf(setting, runs, redis);
  },
};

/** The run, with its time for one task in place of that for all. */
async function take(
  { client, tasksFactor }: Contender,
  { bytes, perCall, share }: Shape,
  tasks: number,
): Promise<Run> {
  const count = Math.max(perCall, Math.round(tasks * share * tasksFactor));
  const run = await client.ask("run", { count, bytes, perCall });
  return { ...run, ms: run.ms / count };
}

async function startWeft(setting: Setting): Promise<Contender> {
  await setting.startChild(new URL("../latency/weft-coordinator.ts", import.meta.url));
  await setting.startChild(new URL("./weft-worker.ts", import.meta.url));
  const client = await setting.startChild<ClientContract>(new URL("./weft-client.ts", import.meta.url));
  return { name: "weft", client, tasksFactor: 1 };
}

async function startLimit(setting: Setting): Promise<Contender> {
  await setting.startChild(new URL("../latency/limit-coordinator.ts", import.meta.url));
  await setting.startChild(new URL("./limit-worker.ts", import.meta.url));
  const client = await setting.startChild<ClientContract>(new URL("./limit-client.ts", import.meta.url));
  return { name: "limit", client, tasksFactor: 1 };
}

async function startBullmq(setting: Setting, { port }: RedisServer): Promise<Contender> {
  const server = `redis://127.0.0.1:${port}`;
  await setting.startChild(new URL("./bullmq-worker.ts", import.meta.url), server);
  const client = await setting.startChild<ClientContract>(
    new URL("./bullmq-client.ts", import.meta.url),
    server,
  );
  return { name: "bullmq", client, tasksFactor: RIVAL_FACTOR };
}

type Figures = { readonly perSecond: Measure; readonly p50: Measure; readonly p99: Measure };

function figuresOf(runs: readonly Run[]): Figures {
  return {
    perSecond: measureOf(runs.map(({ ms }) => 1_000 / ms)),
    p50: measureOf(runs.map(({ p50 }) => p50)),
    p99: measureOf(runs.map(({ p99 }) => p99)),
  };
}

function resultOf({ amounts }: Setting, all: ReadonlyMap<string, Rounds>, redis: RedisServer | null): Result {
  const runsOf = (name: string, shape: string): readonly Run[] => all.get(name)?.get(shape) ?? [];
  const byShape = <T>(of: (shape: string) => T): Record<string, T> =>
    Object.fromEntries(SHAPES.map(({ name }) => [name, of(name)]));
  const figures = (name: string): Record<string, Figures> =>
    byShape((shape) => figuresOf(runsOf(name, shape)));
  const rows = [...all].flatMap(([name, shapes]) =>
    [...shapes].map(([shape, runs]) => {
      const { perSecond, p50, p99 } = figuresOf(runs);
      const numbers = [perSecond.median, perSecond.min, perSecond.max, p50.median, p99.median];
      return [`${name} ${shape}`, ...numbers.map((value) => value.toFixed(0))];
    }),
  );
  const ratio = byShape((shape): { readonly perSecond: Ratio; readonly p50: Ratio } => {
    const [ours, theirs] = [runsOf("weft", shape), runsOf("bullmq", shape)];
    const ms = (runs: readonly Run[]): number[] => runs.map((run) => run.ms);
    const p50 = (runs: readonly Run[]): number[] => runs.map((run) => run.p50);
    return { perSecond: ratioOf(ms(theirs), ms(ours)), p50: ratioOf(p50(theirs), p50(ours)) };
  });
  const share = byShape((shape) =>
    ratioOf(
      runsOf("limit", shape).map((run) => run.ms),
      runsOf("weft", shape).map((run) => run.ms),
    ),
  );
  return {
    figures: {
      weft: figures("weft"),
      rivals: redis === null ? {} : { bullmq: figures("bullmq") },
      limit: figures("limit"),
      ratio: redis === null ? {} : { bullmq: ratio },
      share,
      settings: { ...amounts, warmup_tasks: WARMUP_TASKS, redis: redis?.version ?? null },
    },
    table: { head: ["tasks a second", "median", "min", "max", "p50 ms", "p99 ms"], rows },
    notes: [
      ...SHAPES.map(
        ({ name }) =>
          `${name}: ${share[name]?.median} of the limit${redis === null ? "" : `, ${ratio[name]?.perSecond.median} x BullMQ`}.`,
      ),
    ],
  };
}
