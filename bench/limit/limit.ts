/** The floor of the machine: what a publish with acknowledgement takes, alone. What is between processes is in each workload. */
import { alternate, type Contender } from "../alternation.ts";
import type { Child } from "../child.ts";
import { LIMIT } from "../rounds.ts";
import type { Workload } from "../workload.ts";
import type { AppenderContract } from "./contract.ts";

const RUNS = ["one_at_a_time", "many_100b", "many_10kb"] as const;
type Run = (typeof RUNS)[number];

type Shape = {
  readonly bytes: number;
  /** Appends that wait for their acknowledgement at once. */
  readonly inFlight: number;
  /** Of the appends of a round, so that each takes about as long. */
  readonly share: number;
};

const SHAPES: Readonly<Record<Run, Shape>> = {
  one_at_a_time: { bytes: 100, inFlight: 1, share: 0.1 },
  many_100b: { bytes: 100, inFlight: 1_000, share: 1 },
  many_10kb: { bytes: 10_000, inFlight: 100, share: 0.2 },
};

export const limit: Workload = {
  name: "limit",
  summary: "publishes to a log with acknowledgement, and nothing else",
  headline: "perSecond",
  defaultCount: 20_000,
  rivals: [],
  async run(setting) {
    await setting.startChild(new URL("../latency/limit-coordinator.ts", import.meta.url));
    const appender = await setting.startChild<AppenderContract>(new URL("./appender.ts", import.meta.url));
    const rounds = await alternate(setting, {
      contenders: [contender(appender)],
      runs: RUNS,
      warmUpCount: () => setting.amounts.count,
    });
    return { rounds };
  },
};

function contender(appender: Child<AppenderContract>): Contender<Run> {
  return {
    name: LIMIT,
    runs: RUNS,
    async take(run, appends) {
      const { bytes, inFlight, share } = SHAPES[run];
      const count = Math.max(1, Math.round(appends * share));
      const { ms, p50, p99 } = await appender.ask("append", { count, bytes, inFlight });
      return { [run]: { perSecond: (count * 1_000) / ms, p50, p99 } };
    },
  };
}
