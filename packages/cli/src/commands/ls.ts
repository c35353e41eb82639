import { LIST_ROWS_MAX, TaskName, type TaskState } from "@weft/protocol";
import { Command } from "commander";
import { withCluster } from "../cluster.ts";
import { examples, globalsOf } from "../invocation.ts";
import { parseChoice, parseList, parseWhole } from "../quantity.ts";
import { readListReport, TASK_STATES } from "../report-reader.ts";
import { textTable } from "../text-table.ts";

type LsOptions = {
  readonly state?: readonly TaskState[];
  readonly name?: TaskName;
  readonly limit?: number;
};

const LIMIT_DEFAULT = 20;

export function lsCommand(): Command {
  return new Command("ls")
    .description("List tasks, the newest first.")
    .option(
      "--state <S,…>",
      `only tasks in these states: ${TASK_STATES.join(", ")}`,
      (text, before: readonly TaskState[] | undefined) =>
        parseList(text, before).map((each) => parseChoice(each, "--state", TASK_STATES)),
    )
    .option("--name <NAME>", "only tasks of this name", (text) => TaskName.parse(text))
    .option("--limit <N>", `at most so many, up to ${LIST_ROWS_MAX} (default: ${LIMIT_DEFAULT})`, (text) =>
      parseWhole(text, "--limit", { least: 1, most: LIST_ROWS_MAX }),
    )
    .addHelpText("after", examples("weft ls --state failed,cancelled --limit 100"))
    .action(async ({ state, name, limit }: LsOptions, command: Command) => {
      const { address, output } = globalsOf(command);
      const filter = { states: state ?? [], name: name ?? null, limit: limit ?? LIMIT_DEFAULT };
      const { rows, total } = await withCluster(address, async (cluster) =>
        readListReport(await cluster.report({ type: "list", filter })),
      );
      const cells = rows.map((row) => [row.id, row.name, row.state, String(row.attempt), row.worker ?? "-"]);
      output.answer({ rows, total }, textTable([["ID", "NAME", "STATE", "ATTEMPT", "WORKER"], ...cells]));
      output.note(`${rows.length} of ${total} ${total === 1 ? "task" : "tasks"}`);
    });
}
