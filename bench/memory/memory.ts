/** What a task costs in the memory of a coordinator, and in a checkpoint. */
import { Rounds, type Sample, WEFT } from "../rounds.ts";
import type { Setting, Workload } from "../workload.ts";
import type { HolderContract, MeasuredState } from "./contract.ts";

const SIZES = [10_000, 100_000, 1_000_000];
const STATES: readonly MeasuredState[] = ["waiting", "ready", "settled"];

export const memory: Workload = {
  name: "memory",
  summary:
    "bytes of a waiting, a ready and a settled task in a coordinator, and what a checkpoint of them takes",
  headline: "bytesPerTask",
  defaultCount: 1_000_000,
  rivals: [],
  async run(setting) {
    const rounds = new Rounds();
    for (const tasks of SIZES) {
      if (tasks > setting.amounts.count) continue;
      for (const state of STATES)
        rounds.add(WEFT, { [`${state}_${tasks}`]: await measure(setting, state, tasks) });
    }
    return { rounds, settings: { rounds: 1 } };
  },
};

async function measure(setting: Setting, state: MeasuredState, tasks: number): Promise<Sample> {
  setting.say(`${tasks} ${state} tasks`);
  const holder = await setting.startChild<HolderContract>(new URL("./holder.ts", import.meta.url));
  const measured = await holder.ask("measure", { state, tasks });
  await holder.stop();
  return measured;
}
