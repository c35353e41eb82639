import { connect, type Settlement } from "@weft/client";
import { OUTCOMES, TaskId, type TaskReport } from "@weft/protocol";
import { Command } from "commander";
import { CLI_IDENTITY, type ClusterAddress, withCluster } from "../cluster.ts";
import { examples, globalsOf } from "../invocation.ts";
import { toJson } from "../json-value.ts";
import { oneLine, printable } from "../output.ts";
import { readTaskReport } from "../report-reader.ts";
import { causeLines, taskOutcome } from "../task-outcome.ts";
import { textTable } from "../text-table.ts";

const DEPENDENCIES_TOLD_MAX = 20;
const SETTLED = new Set<string>(OUTCOMES);

export function showCommand(): Command {
  return new Command("show")
    .description("Show one task: its state and why it is in it, what it waits for, its result or error.")
    .argument("<ID>", "the task's id")
    .addHelpText("after", examples("weft show 00aoud1b8MFCdyAhxiLz4w"))
    .action(async (text: string, _options: object, command: Command) => {
      const { address, output } = globalsOf(command);
      const id = TaskId.parse(text);
      const report = await withCluster(address, async (cluster) =>
        readTaskReport(await cluster.report({ type: "show", id })),
      );
      const settlement = SETTLED.has(report.state) ? await settlementOf(id, address) : null;
      const outcome = settlement === null ? {} : taskOutcome(settlement);
      output.answer({ ...report, ...outcome }, [
        ...describe(report),
        ...(settlement === null ? [] : describeEnd(settlement)),
      ]);
    });
}

/** Null where the leader that knows the task is gone before it has told how it ended. */
async function settlementOf(id: TaskId, address: ClusterAddress): Promise<Settlement<unknown> | null> {
  const client = await connect({ ...address, identity: CLI_IDENTITY, onError: () => undefined });
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<null>((resolve) => {
    timer = setTimeout(() => resolve(null), address.connectTimeoutMs);
  });
  try {
    return await Promise.race([client.handle(id).settled(), late]);
  } finally {
    clearTimeout(timer);
    await client.close();
  }
}

function describe(report: TaskReport): readonly string[] {
  const { attempt, tries, labels, worker, submittedAtMs, settledAtMs } = report;
  const rows: [string, string][] = [
    ["task", `${report.name} ${report.id}`],
    ["state", `${report.state} (attempt ${attempt}, ${tries} ${tries === 1 ? "try" : "tries"})`],
    ["because", report.because],
    ["owner", report.owner],
    ["priority", String(report.priority)],
  ];
  if (labels.length > 0) rows.push(["labels", labels.join(", ")]);
  if (worker !== null) rows.push(["worker", worker]);
  if (submittedAtMs !== null) rows.push(["submitted", new Date(submittedAtMs).toISOString()]);
  if (settledAtMs !== null) rows.push(["settled", new Date(settledAtMs).toISOString()]);
  for (const [i, { id, name, state }] of report.dependencies.slice(0, DEPENDENCIES_TOLD_MAX).entries()) {
    rows.push([i === 0 ? "depends on" : "", `${name ?? "?"} ${id} ${state}`]);
  }
  const more = report.dependencies.length - DEPENDENCIES_TOLD_MAX;
  if (more > 0) rows.push(["", `… and ${more} more`]);
  if (report.dependents > 0) rows.push(["dependents", String(report.dependents)]);
  return textTable(rows);
}

function describeEnd({ error, value }: Settlement<unknown>): readonly string[] {
  if (error === undefined) return textTable([["result    ", toJson(value)]]);
  return [oneLine(`error       ${error.message}`), ...causeLines(error).map(printable)];
}
