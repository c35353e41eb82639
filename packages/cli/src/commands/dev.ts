import { UsageError } from "@weft/protocol";
import { Command } from "commander";
import { type DevClusterOptions, runDevCluster } from "../dev/dev-cluster.ts";
import { PartEndedError } from "../dev/part.ts";
import { examples, globalsOf, type Invocation } from "../invocation.ts";
import { parseWhole } from "../quantity.ts";
import { addWorkerFlags } from "../worker-flags.ts";

const PORT_MAX = 65_535;

export function devCommand(invocation: Invocation): Command {
  const command = new Command("dev")
    .description(
      "Run a whole cluster here, in one command: nats-server, coordinator, worker, and what happens in it.",
    )
    .argument(
      "[FILES...]",
      "modules whose exported tasks (`defineTask`) its worker runs; without any there is no worker",
    )
    .option("--store-dir <FOLDER>", "where nats-server keeps the log, across restarts (default: .weft/nats)")
    .option(
      "--port <N>",
      "the port of nats-server; 0 takes a free one (default: 4222, or a free one where that is taken)",
      (text) => parseWhole(text, "--port", { least: 0, most: PORT_MAX }),
    )
    .option("--memory", "keep nothing: the log is in memory, gone when this ends");
  return addWorkerFlags(command)
    .addHelpText("after", examples("weft dev tasks.ts --slots 4", "weft dev tasks.ts --memory --port 0"))
    .action(async (files: string[], options: DevClusterOptions, self: Command) => {
      const globals = globalsOf(self);
      if (self.getOptionValueSourceWithGlobals("url") === "cli")
        throw new UsageError(
          "weft dev starts a nats-server of its own: leave out --url, or use `weft coordinator` and `weft worker`",
        );
      if (options.memory === true && options.storeDir !== undefined)
        throw new UsageError("--memory keeps nothing: leave out --store-dir");
      try {
        await runDevCluster(files, options, globals);
      } catch (error) {
        if (!(error instanceof PartEndedError)) throw error;
        globals.output.log(error.message);
        invocation.exitCode = error.exitCode === 2 || error.exitCode === 3 ? error.exitCode : 1;
      }
    });
}
