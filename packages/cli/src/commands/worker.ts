import { availableParallelism } from "node:os";
import { Worker } from "@weft/worker";
import { Command, Option } from "commander";
import { runInForeground } from "../foreground.ts";
import { examples, FOREGROUND_CONNECT_TIMEOUT, globalsOf } from "../invocation.ts";
import { followParent, NO_PARENT } from "../parent.ts";
import { parseDurationMs } from "../quantity.ts";
import { addWorkerFlags, type WorkerFlags } from "../worker-flags.ts";

type WorkerOptions = WorkerFlags & { readonly grace: number; readonly withParent?: boolean };

const GRACE_DEFAULT_MS = 30_000;
const NAMES_TOLD_MAX = 10;

export function workerCommand(): Command {
  const command = new Command("worker")
    .description("Run a worker in the foreground, for the tasks that the files export.")
    .argument("<FILES...>", "modules whose exported tasks (`defineTask`) it runs");
  return addWorkerFlags(command)
    .addOption(
      new Option("--grace <DURATION>", "how long running tasks may still take when it is stopped")
        .argParser((text) => parseDurationMs(text, "--grace"))
        .default(GRACE_DEFAULT_MS, "30s"),
    )
    .addOption(new Option("--with-parent").hideHelp())
    .addHelpText("after", examples("weft worker tasks.ts --slots 8 --labels gpu"))
    .action(async (files: string[], options: WorkerOptions, command: Command) => {
      const { address, output } = globalsOf(command, FOREGROUND_CONNECT_TIMEOUT);
      const parent = options.withParent === true ? followParent() : NO_PARENT;
      const { slots, prefetch, labels, cancelGrace } = options;
      try {
        await runInForeground({
          start: async () => {
            const worker = await Worker.start({
              ...address,
              files,
              log: output.log,
              ...(slots === undefined ? {} : { slots }),
              ...(prefetch === undefined ? {} : { prefetch }),
              ...(labels === undefined ? {} : { labels }),
              ...(cancelGrace === undefined ? {} : { cancelGraceMs: cancelGrace }),
            });
            output.log(readyLine(worker, slots ?? availableParallelism()));
            parent.tellReady();
            const stop = async (): Promise<void> => {
              await worker.stop({ graceMs: options.grace });
              output.log(`worker ${worker.name} has stopped`);
            };
            return { stop };
          },
          log: output.log,
        });
      } finally {
        parent.release();
      }
    });
}

function readyLine(worker: Worker, slots: number): string {
  const names = worker.taskNames;
  const more = names.length > NAMES_TOLD_MAX ? `, … ${names.length - NAMES_TOLD_MAX} more` : "";
  const tasks = `${names.length} ${names.length === 1 ? "task" : "tasks"} (${names.slice(0, NAMES_TOLD_MAX).join(", ")}${more})`;
  return `worker ${worker.name} ready: ${tasks}, ${slots} ${slots === 1 ? "slot" : "slots"}`;
}
