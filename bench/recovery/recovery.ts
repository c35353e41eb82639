/** Cold start: how long a coordinator process takes from a checkpoint with live tasks to leading, and to the first task. */
import { Rounds, type Sample, WEFT } from "../rounds.ts";
import type { Setting, Workload } from "../workload.ts";
import type { FillerContract, FirstRunContract, RecoveredContract } from "./contract.ts";

const SIZES = [10_000, 100_000, 1_000_000];

export const recovery: Workload = {
  name: "recovery",
  summary: "a coordinator's cold start from a checkpoint with live tasks",
  headline: "dispatchingMs",
  defaultCount: 1_000_000,
  rivals: [],
  async run(setting) {
    const rounds = new Rounds();
    for (const size of SIZES) {
      if (size <= setting.amounts.count)
        rounds.add(WEFT, { [`cold_start_${size}`]: await recover(setting, size) });
    }
    return { rounds };
  },
};

async function recover(setting: Setting, tasks: number): Promise<Sample> {
  const namespace = `recovery-${tasks}`;
  setting.say(`${tasks} tasks: filling the log`);
  const filler = await setting.startChild<FillerContract>(new URL("./filler.ts", import.meta.url));
  const filled = await filler.ask("fill", { namespace, tasks });
  await filler.stop();
  setting.say(`${tasks} tasks: recovering`);
  const worker = await setting.startChild<FirstRunContract>(
    new URL("./first-run.ts", import.meta.url),
    setting.server.url,
    namespace,
  );
  const coordinator = await setting.startChild<RecoveredContract>(
    new URL("./recovered.ts", import.meta.url),
    setting.server.url,
    namespace,
  );
  const firstRunMs = await worker.ask("firstRunMs");
  const { startedMs, standingByMs, leadingMs, cpuMs, heapBytes } = await coordinator.ask("times");
  await worker.stop();
  await coordinator.stop();
  return {
    standingByMs: standingByMs - startedMs,
    leadingMs: leadingMs - startedMs,
    dispatchingMs: firstRunMs - startedMs,
    cpuMs,
    heapBytesPerTask: heapBytes / tasks,
    checkpointBytesPerTask: filled.checkpointBytes / tasks,
    checkpointMs: filled.checkpointMs,
    logBytesPerTask: filled.logBytes / tasks,
  };
}
