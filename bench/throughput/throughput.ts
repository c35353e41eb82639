/** How many tasks a cluster settles in a second: no-op tasks, from one client through one worker, as fast as it goes. */
import { alternate, type Contender } from "../alternation.ts";
import { RIVALS } from "../rivals/rivals.ts";
import type { Workload } from "../workload.ts";
import { startLimit, startRival, startWeft } from "./contenders.ts";
import { SHAPES, type ShapeName } from "./shapes.ts";

export const throughput: Workload = {
  name: "throughput",
  summary: "no-op tasks a second, one client and one worker, against the limit",
  headline: "perSecond",
  defaultCount: 50_000,
  rivals: RIVALS,
  async run(setting) {
    const contenders: Contender<ShapeName>[] = [await startWeft(setting), await startLimit(setting)];
    for (const rival of setting.rivals) contenders.push(await startRival(setting, rival));
    const rounds = await alternate(setting, {
      contenders,
      runs: SHAPES.map(({ name }) => name),
      // A round: after a fifth of one V8 still compiled in the first rounds that count.
      warmUpCount: () => setting.amounts.count,
    });
    return { rounds, settings: { warmup_tasks: setting.amounts.count } };
  },
};
