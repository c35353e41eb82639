import { type LogRecordView, openNamespace, skipRecord, viewRecord } from "@weft/coordinator";
import { UsageError, WeftError } from "@weft/protocol";
import { Argument, Command } from "commander";
import { type Cluster, withCluster } from "../cluster.ts";
import { EXIT_CODES } from "../exit-code.ts";
import { examples, globalsOf, type Invocation } from "../invocation.ts";
import { toJson } from "../json-value.ts";
import { parseWhole } from "../quantity.ts";
import { readInfoReport } from "../report-reader.ts";
import { textTable } from "../text-table.ts";

const INDENT = 2;

export function logCommand(invocation: Invocation): Command {
  return new Command("log")
    .description(
      "Show a record of the log; or have every coordinator pass over one at which they all fail, from their next start on.",
    )
    .addArgument(new Argument("<ACTION>", "what to do with the record").choices(["show", "skip"]))
    .argument("<SEQ>", "the record's number", (text) =>
      parseWhole(text, "SEQ", { least: 1, most: Number.MAX_SAFE_INTEGER }),
    )
    .option("--yes", "skip: do it, knowing that the record has no effect from then on")
    .addHelpText("after", examples("weft log show 1"))
    .action(async (action: string, seq: number, { yes }: { readonly yes?: boolean }, command: Command) => {
      const { address, output } = globalsOf(command);
      await withCluster(address, async (cluster) => {
        const { connection, subjects } = cluster;
        const config = await openNamespace(connection.nats, address.namespace);
        const view = await viewRecord(connection, config, { subjects, seq });
        if (view === null) throw new UsageError(`the log has no record ${seq}`);
        if (action === "show") return output.answer(view, describe(view));
        await refuseWhatIsFolded(cluster, seq);
        if (yes !== true) {
          const lines = [
            ...describe(view),
            `passing over record ${seq} would take away what it says above; add --yes`,
          ];
          output.answer({ ...view, done: false }, lines);
          invocation.exitCode = EXIT_CODES.failed;
          return;
        }
        await skipRecord(connection, config, { subjects, seq });
        output.answer({ ...view, skipped: true, done: true }, [
          `record ${seq} is passed over from now on: start the coordinators again`,
        ]);
      });
    });
}

/** A leader that has folded the record shows that it can be folded; one that passed over it would come to another state. */
async function refuseWhatIsFolded(cluster: Cluster, seq: number): Promise<void> {
  try {
    const { leader, foldedSeq } = readInfoReport(await cluster.report({ type: "info" }));
    if (foldedSeq >= seq)
      throw new UsageError(`record ${seq} cannot be passed over: ${leader} leads and has folded it`);
  } catch (error) {
    if (!WeftError.is(error, "weft_no_leader")) throw error;
  }
}

function describe(view: LogRecordView): readonly string[] {
  const rows: [string, string][] = [
    ["record", String(view.seq)],
    ["stored", view.at],
    ["kind", view.kind ?? "none of ours"],
    ["sender", view.sender ?? "a coordinator"],
    ["bytes", String(view.bytes)],
  ];
  if (view.skipped) rows.push(["skipped", "folds pass over it"]);
  if (view.void !== null) rows.push(["void", view.void]);
  return [...textTable(rows), ...(view.record === null ? [] : toJson(view.record, INDENT).split("\n"))];
}
