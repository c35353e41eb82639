import { acceptLog, examineLog, type LogExamination, openNamespace } from "@weft/coordinator";
import { Command } from "commander";
import { withCluster } from "../cluster.ts";
import { EXIT_CODES } from "../exit-code.ts";
import { examples, globalsOf, type Invocation } from "../invocation.ts";

export function repairCommand(invocation: Invocation): Command {
  return new Command("repair")
    .description(
      "Tell whether a coordinator can start from the log and its checkpoints, and if not, accept the log as it is.",
    )
    .option("--yes", "accept the log from the first record that it has, and give up what was before")
    .addHelpText("after", examples("weft repair"))
    .action(async ({ yes }: { readonly yes?: boolean }, command: Command) => {
      const { address, output } = globalsOf(command);
      await withCluster(address, async ({ connection, subjects }) => {
        const config = await openNamespace(connection.nats, address.namespace);
        const place = { connection, config, subjects };
        const examination = await examineLog(place);
        const lines = [describeLog(examination), ...examination.remarks];
        if (examination.trouble === null) {
          output.answer({ ...examination, done: false }, [...lines, describeStart(examination)]);
          return;
        }
        lines.push(examination.trouble);
        if (yes !== true) {
          const first = Math.max(1, examination.firstSeq);
          lines.push(
            `with --yes, coordinators begin at record ${first} and know nothing of what was before: tasks that were submitted there are unknown, and those that wait for them fail`,
          );
          output.answer({ ...examination, done: false }, lines);
          invocation.exitCode = EXIT_CODES.failed;
          return;
        }
        const { begins } = await acceptLog(place, examination);
        lines.push(
          `the log counts from record ${begins} on; this is written down in the metadata of ${config.stream}: start the coordinators`,
        );
        output.answer({ ...examination, begins, done: true }, lines);
      });
    });
}

function describeLog({ firstSeq, lastSeq }: LogExamination): string {
  if (lastSeq === 0) return "the log is empty";
  return firstSeq > lastSeq
    ? `the log has no record; the next one is ${lastSeq + 1}`
    : `the log has the records ${firstSeq} to ${lastSeq}`;
}

function describeStart({ checkpointSeq }: LogExamination): string {
  const from =
    checkpointSeq === null
      ? "the first record"
      : `the checkpoint at record ${checkpointSeq} and those behind it`;
  return `nothing has to be repaired: a coordinator starts from ${from}`;
}
