import type { WorkerReport } from "@weft/protocol";
import { Command } from "commander";
import { withCluster } from "../cluster.ts";
import { examples, globalsOf } from "../invocation.ts";
import { describeMs } from "../quantity.ts";
import { readWorkerReports } from "../report-reader.ts";
import { textTable } from "../text-table.ts";

const HEAD = ["WORKER", "STATE", "HOST", "PID", "RUNNING", "SLOTS", "UP", "SEEN", "LABELS", "TASKS"];

export function workersCommand(): Command {
  return new Command("workers")
    .description("List the live workers: what they run, and what they can run.")
    .addHelpText("after", examples("weft workers"))
    .action(async (_options: object, command: Command) => {
      const { address, output } = globalsOf(command);
      const workers = await withCluster(address, async (cluster) =>
        readWorkerReports(await cluster.report({ type: "workers" })),
      );
      output.answer(workers, textTable([HEAD, ...workers.map(cells)]));
      if (workers.length === 0) output.note("no live workers: start one with `weft worker FILES`");
    });
}

function cells(worker: WorkerReport): readonly string[] {
  return [
    worker.id,
    worker.state,
    worker.host,
    String(worker.pid),
    String(worker.running),
    String(worker.slots),
    describeMs(Math.max(0, Date.now() - worker.startedAtMs)),
    `${describeMs(worker.lastSeenMsAgo)} ago`,
    worker.labels.join(",") || "-",
    worker.names.join(","),
  ];
}
