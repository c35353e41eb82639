/** Whether a task costs the same however many there are: many more no-op tasks than a round of throughput has. */
import { withCpuPerTask } from "../cpu.ts";
import { Rounds, type Sample, WEFT } from "../rounds.ts";
import type { Setting, Workload } from "../workload.ts";
import type { ClientContract, Order } from "./contract.ts";

/** A round of it is long. */
const ROUNDS_MAX = 3;
const SIZES = [10_000, 100_000, 1_000_000];
/** Small sizes are run several times over, so that each takes a while. */
const TASKS_MIN = 100_000;
const WARMUP_TASKS_MAX = 10_000;
const ARGUMENT_BYTES = 100;
const MS_US = 1_000;

export const scale: Workload = {
  name: "scale",
  summary: "microseconds per no-op task, of 10,000 tasks and of 1,000,000",
  headline: "usPerTask",
  defaultCount: 1_000_000,
  rivals: [],
  async run(setting) {
    const { count: largest } = setting.amounts;
    const count = Math.min(setting.amounts.rounds, ROUNDS_MAX);
    const sizes = SIZES.filter((size) => size <= largest);
    if (sizes.length === 0) sizes.push(largest);
    const rounds = new Rounds();
    for (let round = 1; round <= count; round++) {
      const samples: Sample[] = [];
      for (const size of sizes) {
        setting.say(`round ${round} of ${count}: ${size} tasks`);
        samples.push(await measure(setting, size));
      }
      const [least] = samples;
      for (const [index, sample] of samples.entries())
        rounds.add(WEFT, { [`tasks_${sizes[index]}`]: { ...sample, ...growth(sample, least ?? sample) } });
    }
    return { rounds, settings: { rounds: count } };
  },
};

/** In processes of its own, with a server of their own: what was before would count. */
async function measure(setting: Setting, size: number): Promise<Sample> {
  await using own = await setting.another();
  const coordinator = await own.startChild(new URL("../latency/weft-coordinator.ts", import.meta.url));
  const worker = await own.startChild(new URL("./weft-worker.ts", import.meta.url));
  const client = await own.startChild<ClientContract>(new URL("./weft-client.ts", import.meta.url));
  const order = (count: number): Order => ({ count, bytes: ARGUMENT_BYTES, perCall: 1, unsettledMax: null });
  await client.ask("run", order(Math.min(size, WARMUP_TASKS_MAX)));
  const runs = Math.max(1, Math.floor(Math.min(TASKS_MIN, setting.amounts.count) / size));
  const { result: ms, cpu } = await withCpuPerTask(
    { processes: { client, worker, coordinator }, serverPid: own.server.pid },
    async () => {
      let totalMs = 0;
      for (let run = 0; run < runs; run++) totalMs += (await client.ask("run", order(size))).ms;
      return totalMs;
    },
    () => runs * size,
  );
  return { usPerTask: (ms * MS_US) / (runs * size), ...cpu };
}

/** Times what the same takes with the least tasks, in the same round. */
function growth(sample: Sample, least: Sample): Sample {
  const ratio = (metric: string): number => (sample[metric] ?? Number.NaN) / (least[metric] ?? Number.NaN);
  return { growth: ratio("usPerTask"), cpuGrowth: ratio("cpuUs") };
}
