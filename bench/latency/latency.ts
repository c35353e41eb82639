/**
 * The latency of an idle cluster: how long one task takes when nothing else runs, hop by hop, next to the limit of the
 * same messages through the same server.
 */
import { connect } from "@nats-io/transport-node";
import { alternate } from "../alternation.ts";
import { clockStepMs } from "../clock.ts";
import { RIVALS } from "../rivals/rivals.ts";
import type { Workload } from "../workload.ts";
import { startLimit, startRival, startWeft } from "./contenders.ts";
import { RUNS } from "./contract.ts";

/** Tasks of each run before its first round, in rounds: the code is compiled by then, with the default count after 4,000. */
const WARMUP_ROUNDS = 8;

/** The clock is stated to the microsecond and a tenth. */
const DIGITS = 4;

export const latency: Workload = {
  name: "latency",
  summary: "round trip, hand-off, progress and callback of an idle cluster, against the limit",
  headline: "p50",
  defaultCount: 500,
  rivals: RIVALS,
  async run(setting) {
    await using nats = new AsyncDisposableStack();
    const connection = nats.adopt(await connect({ servers: setting.server.url }), (open) => open.close());
    const contenders = [await startWeft(setting, connection), await startLimit(setting, connection)];
    for (const rival of setting.rivals) contenders.push(await startRival(setting, rival));
    const warmUpTasks = WARMUP_ROUNDS * setting.amounts.count;
    const rounds = await alternate(setting, {
      contenders,
      runs: RUNS,
      // A hand-off has two tasks.
      warmUpCount: (run) => (run === "handoff" ? warmUpTasks / 2 : warmUpTasks),
    });
    return {
      rounds,
      settings: {
        warmup_tasks: warmUpTasks,
        clock: "process.hrtime",
        clock_step_ms: Number(clockStepMs().toFixed(DIGITS)),
        wall_drift_ms: Number(Math.max(...contenders.map((each) => each.wallDriftMs)).toFixed(DIGITS)),
      },
    };
  },
};
