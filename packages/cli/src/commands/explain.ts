import { type ExplainReport, TaskId } from "@weft/protocol";
import { Command } from "commander";
import { withCluster } from "../cluster.ts";
import { examples, globalsOf } from "../invocation.ts";
import { oneLine } from "../output.ts";
import { readExplainReport } from "../report-reader.ts";

export function explainCommand(): Command {
  return new Command("explain")
    .description(
      "Tell why a task is not done yet: what it waits for, down to the root, and what that waits for.",
    )
    .argument("<ID>", "the task's id")
    .addHelpText("after", examples("weft explain 00aoud1b8MFCdyAhxiLz4w"))
    .action(async (text: string, _options: object, command: Command) => {
      const { address, output } = globalsOf(command);
      const id = TaskId.parse(text);
      const report = await withCluster(address, async (cluster) =>
        readExplainReport(await cluster.report({ type: "explain", id })),
      );
      output.answer(report, describe(report));
    });
}

/** A paragraph per task, each a step further down. */
function describe({ id, name, state, facts }: ExplainReport): readonly string[] {
  const lines = [`${name} ${id} is ${state}`];
  let at = id;
  let indent = "  ";
  for (const fact of facts) {
    if (fact.id !== at) {
      lines.push(`${indent}${fact.name} ${fact.id}`);
      at = fact.id;
      indent += "  ";
    }
    lines.push(`${indent}${oneLine(fact.text)}`);
  }
  return lines;
}
