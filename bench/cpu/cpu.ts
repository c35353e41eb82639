/** How close code that computes comes to the ideal: the work divided by the cores. */
import { alternate, type Contender } from "../alternation.ts";
import type { Child } from "../child.ts";
import { LIMIT, WEFT } from "../rounds.ts";
import type { Setting, Workload } from "../workload.ts";
import type { CpuClientContract, CpuLimitContract } from "./contract.ts";

const SHAPES = ["task_1ms", "task_10ms", "task_100ms"] as const;
type Shape = (typeof SHAPES)[number];

const TASK_MS: Readonly<Record<Shape, number>> = { task_1ms: 1, task_10ms: 10, task_100ms: 100 };

/** Of the tasks of a round, so that each shape takes about as long. */
const SHARES: Readonly<Record<Shape, number>> = { task_1ms: 1, task_10ms: 0.2, task_100ms: 0.03 };
const WARMUP_SHARE = 0.2;

export const cpu: Workload = {
  name: "cpu",
  summary: "tasks that compute, in threads, against plain threads with the same work",
  headline: "perSecond",
  defaultCount: 2_000,
  rivals: [],
  async run(setting) {
    const limit = await setting.startChild<CpuLimitContract>(new URL("./limit-client.ts", import.meta.url));
    await setting.startChild(new URL("../latency/weft-coordinator.ts", import.meta.url));
    await setting.startChild(new URL("./weft-worker.ts", import.meta.url));
    const client = await setting.startChild<CpuClientContract>(new URL("./weft-client.ts", import.meta.url));
    const megabytes = await calibrated(limit, setting);
    const contenders = [contender(WEFT, client, megabytes), contender(LIMIT, limit, megabytes)];
    const warmUpCount = Math.ceil(setting.amounts.count * WARMUP_SHARE);
    const rounds = await alternate(setting, { contenders, runs: SHAPES, warmUpCount: () => warmUpCount });
    const settings = Object.fromEntries(SHAPES.map((shape) => [`${shape}_megabytes`, megabytes[shape]]));
    return { rounds, settings };
  },
};

type Megabytes = Readonly<Record<Shape, number>>;

async function calibrated(limit: Child<CpuLimitContract>, setting: Setting): Promise<Megabytes> {
  setting.say("finding out how much is hashed in 1, 10 and 100 ms");
  const found: Record<Shape, number> = { task_1ms: 1, task_10ms: 1, task_100ms: 1 };
  for (const shape of SHAPES) found[shape] = await limit.ask("megabytesIn", TASK_MS[shape]);
  return found;
}

function contender(
  name: string,
  client: Pick<Child<CpuClientContract>, "ask">,
  megabytes: Megabytes,
): Contender<Shape> {
  return {
    name,
    runs: SHAPES,
    async take(shape, count) {
      const tasks = Math.max(2, Math.round(count * SHARES[shape]));
      const ms = await client.ask("run", { tasks, megabytes: megabytes[shape] });
      return { [shape]: { perSecond: (tasks * 1_000) / ms } };
    },
  };
}
