import { Coordinator, type RetentionOptions } from "@weft/coordinator";
import { DURATION_MAX_MS } from "@weft/protocol";
import { Command, Option } from "commander";
import { runInForeground } from "../foreground.ts";
import { examples, FOREGROUND_CONNECT_TIMEOUT, globalsOf } from "../invocation.ts";
import { followParent, NO_PARENT } from "../parent.ts";
import { parseBytes, parseDurationMs, parseWhole } from "../quantity.ts";

type CoordinatorFlags = {
  readonly create?: boolean;
  readonly retention?: number;
  readonly retentionTasks?: number;
  readonly retentionBytes?: number;
  readonly withParent?: boolean;
};

export function coordinatorCommand(): Command {
  return new Command("coordinator")
    .description("Run a coordinator in the foreground: it leads, or stands by for the one that does.")
    .option("--create", "create the namespace where it does not exist")
    .option(
      "--retention <TIME>",
      "how long settled tasks are kept with their results, at least 10m (default: 24h)",
      (text) => parseDurationMs(text, "--retention", DURATION_MAX_MS),
    )
    .option(
      "--retention-tasks <N>",
      "settled tasks that are kept; of more the oldest leave early, not within 10 minutes (default: 1000000)",
      (text) => parseWhole(text, "--retention-tasks", { least: 1, most: Number.MAX_SAFE_INTEGER }),
    )
    .option(
      "--retention-bytes <SIZE>",
      "bytes that their results may take, likewise (default: a quarter of the log's limit)",
      (text) => parseBytes(text, "--retention-bytes"),
    )
    .addOption(new Option("--with-parent").hideHelp())
    .addHelpText("after", examples("weft coordinator --create"))
    .action(async (options: CoordinatorFlags, command: Command) => {
      const { address, output } = globalsOf(command, FOREGROUND_CONNECT_TIMEOUT);
      const parent = options.withParent === true ? followParent() : NO_PARENT;
      try {
        await runInForeground({
          start: async () => {
            const coordinator = await Coordinator.start({
              ...address,
              create: options.create === true,
              retention: retentionOf(options),
              log: output.log,
            });
            coordinator.untilLeading().then(parent.tellReady, () => undefined);
            const stop = async (): Promise<void> => {
              await coordinator.stop();
              output.log(`coordinator ${coordinator.name} has stopped`);
            };
            return { stop, ended: coordinator.untilEnded() };
          },
          log: output.log,
        });
      } finally {
        parent.release();
      }
    });
}

function retentionOf({ retention, retentionTasks, retentionBytes }: CoordinatorFlags): RetentionOptions {
  return {
    ...(retention === undefined ? {} : { ageMs: retention }),
    ...(retentionTasks === undefined ? {} : { tasksMax: retentionTasks }),
    ...(retentionBytes === undefined ? {} : { bytesMax: retentionBytes }),
  };
}
