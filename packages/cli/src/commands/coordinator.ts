import { Coordinator } from "@weft/coordinator";
import { Command, Option } from "commander";
import { runInForeground } from "../foreground.ts";
import { examples, FOREGROUND_CONNECT_TIMEOUT, globalsOf } from "../invocation.ts";
import { followParent, NO_PARENT } from "../parent.ts";

type CoordinatorOptions = { readonly create?: boolean; readonly withParent?: boolean };

export function coordinatorCommand(): Command {
  return new Command("coordinator")
    .description("Run a coordinator in the foreground: it leads, or stands by for the one that does.")
    .option("--create", "create the namespace where it does not exist")
    .addOption(new Option("--with-parent").hideHelp())
    .addHelpText("after", examples("weft coordinator --create"))
    .action(async (options: CoordinatorOptions, command: Command) => {
      const { address, output } = globalsOf(command, FOREGROUND_CONNECT_TIMEOUT);
      const parent = options.withParent === true ? followParent() : NO_PARENT;
      try {
        await runInForeground({
          start: async () => {
            const coordinator = await Coordinator.start({
              ...address,
              create: options.create === true,
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
