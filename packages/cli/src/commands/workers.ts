import { hostname } from "node:os";
import type { WorkerReport } from "@weft/protocol";
import { Command } from "commander";
import { withCluster } from "../cluster.ts";
import { EXIT_CODES } from "../exit-code.ts";
import { examples, globalsOf, type Invocation } from "../invocation.ts";
import { describeMs } from "../quantity.ts";
import { readWorkerReports } from "../report-reader.ts";
import { textTable } from "../text-table.ts";

const HEAD = ["WORKER", "STATE", "HOST", "PID", "RUNNING", "SLOTS", "UP", "SEEN", "LABELS", "TASKS"];

export function workersCommand(invocation: Invocation): Command {
  return new Command("workers")
    .description("List the live workers: what they run, and what they can run.")
    .option("--here", "only those on this machine or in this container; exits with 1 where there is none")
    .addHelpText("after", examples("weft workers"))
    .action(async ({ here }: { readonly here?: boolean }, command: Command) => {
      const { address, output } = globalsOf(command);
      const all = await withCluster(address, async (cluster) =>
        readWorkerReports(await cluster.report({ type: "workers" })),
      );
      const workers = here === true ? all.filter(({ host }) => host === hostname()) : all;
      if (here === true && workers.length === 0) invocation.exitCode = EXIT_CODES.failed;
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
