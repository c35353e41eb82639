/** A recorded workflow as real tasks that wait for as long as they ran: its makespan against the critical path. */
import { readFile } from "node:fs/promises";
import { basename } from "node:path";
import { fileURLToPath } from "node:url";
import { boundsOf, scaled, type Workflow } from "../../packages/cli/src/replay/workflow.ts";
import { readWorkflow } from "../../packages/cli/src/replay/workflow-file.ts";
import { alternate, type Contender } from "../alternation.ts";
import type { Child } from "../child.ts";
import { LIMIT, WEFT } from "../rounds.ts";
import type { Workload } from "../workload.ts";
import type { ReplayClientContract } from "./contract.ts";

const SMALL_WORKFLOW = fileURLToPath(new URL("../../test/fixtures/workflow.json", import.meta.url));

export const replay: Workload = {
  name: "replay",
  summary: "the makespan of a recorded workflow against its critical path, which is made to take --count ms",
  headline: "makespanMs",
  defaultCount: 1_000,
  rivals: [],
  async run(setting) {
    const file = setting.workflow ?? SMALL_WORKFLOW;
    const recorded = readWorkflow(await readFile(file, "utf8"), file);
    const slots = String(recorded.tasks.length);
    await setting.startChild(new URL("../latency/weft-coordinator.ts", import.meta.url));
    await setting.startChild(new URL("./weft-worker.ts", import.meta.url), setting.server.url, slots);
    const weft = new URL("./weft-client.ts", import.meta.url);
    const limit = new URL("./limit-client.ts", import.meta.url);
    const contenders = [
      contender(WEFT, await setting.startChild<ReplayClientContract>(weft), recorded),
      contender(LIMIT, await setting.startChild<ReplayClientContract>(limit), recorded),
    ];
    const rounds = await alternate(setting, {
      contenders,
      runs: ["workflow"],
      warmUpCount: () => setting.amounts.count,
    });
    return { rounds, settings: { workflow: basename(file), tasks: recorded.tasks.length } };
  },
};

function contender(
  name: string,
  client: Pick<Child<ReplayClientContract>, "ask">,
  recorded: Workflow,
): Contender<"workflow"> {
  const recordedMs = boundsOf(recorded, null).criticalPathMs;
  return {
    name,
    runs: ["workflow"],
    async take(run, count) {
      const workflow = scaled(recorded, recordedMs / count);
      const { criticalPathMs } = boundsOf(workflow, null);
      const makespanMs = await client.ask("run", workflow);
      return { [run]: { makespanMs, criticalPathMs, makespanPerCriticalPath: makespanMs / criticalPathMs } };
    },
  };
}
