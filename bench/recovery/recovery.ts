/** Cold start: how long a coordinator process takes from a checkpoint with live tasks to leading, and to the first task. */
import type { Result, Setting, Workload } from "../workload.ts";
import type { FillerContract, FirstRunContract, RecoveredContract } from "./contract.ts";

const SIZES = [10_000, 100_000, 1_000_000];
const DIGITS = 1;

type Recovery = {
  readonly live_tasks: number;
  readonly standing_by_ms: number;
  readonly leading_ms: number;
  readonly dispatching_ms: number;
  readonly cpu_ms: number;
  readonly heap_bytes_per_task: number;
  readonly checkpoint_bytes_per_task: number;
  readonly checkpoint_ms: number;
  readonly log_bytes_per_task: number;
};

export const recovery: Workload = {
  name: "recovery",
  summary: "a coordinator's cold start from a checkpoint with live tasks",
  defaultCount: 1_000_000,
  async run(setting) {
    const recoveries: Recovery[] = [];
    for (const size of SIZES) {
      if (size <= setting.amounts.count) recoveries.push(await recover(setting, size));
    }
    return resultOf(recoveries);
  },
};

async function recover(setting: Setting, tasks: number): Promise<Recovery> {
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
  const each = (bytes: number): number => rounded(bytes / tasks);
  return {
    live_tasks: tasks,
    standing_by_ms: rounded(standingByMs - startedMs),
    leading_ms: rounded(leadingMs - startedMs),
    dispatching_ms: rounded(firstRunMs - startedMs),
    cpu_ms: rounded(cpuMs),
    heap_bytes_per_task: each(heapBytes),
    checkpoint_bytes_per_task: each(filled.checkpointBytes),
    checkpoint_ms: rounded(filled.checkpointMs),
    log_bytes_per_task: each(filled.logBytes),
  };
}

function resultOf(recoveries: readonly Recovery[]): Result {
  return {
    figures: { recoveries },
    table: {
      head: ["live tasks", "standing by", "leading", "dispatching", "cpu", "checkpoint B", "heap B"],
      rows: recoveries.map((each) =>
        [
          each.live_tasks,
          each.standing_by_ms,
          each.leading_ms,
          each.dispatching_ms,
          each.cpu_ms,
          each.checkpoint_bytes_per_task,
          each.heap_bytes_per_task,
        ].map(String),
      ),
    },
    notes: [
      "Milliseconds from the start of the process; bytes per live task. Half of the tasks wait for others.",
      "Nobody led: a coordinator waits two seconds for a leader before it stands, and one more for what workers hold.",
    ],
  };
}

function rounded(value: number): number {
  return Number(value.toFixed(DIGITS));
}
