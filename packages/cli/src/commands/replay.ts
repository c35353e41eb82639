import { readFile } from "node:fs/promises";
import { connect, type TaskHandle } from "@weft/client";
import { CREDITS_MAX, DURATION_MAX_MS, UsageError } from "@weft/protocol";
import { Command } from "commander";
import { untilAccepted } from "../acceptance.ts";
import { CLI_IDENTITY, type ClusterAddress } from "../cluster.ts";
import { EXIT_CODES } from "../exit-code.ts";
import { examples, globalsOf, type Invocation } from "../invocation.ts";
import { type Output, oneLine } from "../output.ts";
import { NO_PROGRESS, type ProgressView, progressView } from "../progress-view.ts";
import { describeMs, parseWhole } from "../quantity.ts";
import { type Replayed, replay, slotsFor, startReplayWorker } from "../replay/replay.ts";
import { boundsOf, endlessTask, scaled, type Workflow } from "../replay/workflow.ts";
import { WorkflowFileError } from "../replay/workflow-error.ts";
import { readWorkflow } from "../replay/workflow-file.ts";
import { textTable } from "../text-table.ts";
import { WaitingReason } from "../waiting-reason.ts";

type ReplayFlags = {
  readonly timeScale: number;
  readonly spin?: boolean;
  readonly slots?: number;
  /** False with --no-worker. */
  readonly worker: boolean;
};

type Run = { readonly workflow: Workflow; readonly spin: boolean; readonly slots: number | null };
type Place = { readonly address: ClusterAddress; readonly output: Output };

const ACCEPT_TIMEOUT_MS = 10_000;
const RATIO_DIGITS = 3;
const MS_PER_DAY = 86_400_000;

export function replayCommand(invocation: Invocation): Command {
  return new Command("replay")
    .description(
      "Run a recorded workflow (WfFormat 1.4 to 1.6) as real tasks, each taking the time that was recorded.",
    )
    .argument("<FILE>", "the workflow")
    .option("--time-scale <X>", "divides the recorded run times", parseTimeScale, 1)
    .option("--spin", "tasks keep a core busy, in threads, instead of waiting")
    .option(
      "--slots <N>",
      "tasks that run at once (default: all that may; with --spin the number of cores)",
      (text) => parseWhole(text, "--slots", { least: 1, most: CREDITS_MAX }),
    )
    .option("--no-worker", "leave the tasks to workers of the cluster that have them")
    .addHelpText("after", examples("weft replay workflow.json --time-scale 100"))
    .action(async (file: string, flags: ReplayFlags, command: Command) => {
      const { address, output } = globalsOf(command);
      const spin = flags.spin === true;
      if (!flags.worker && flags.slots !== undefined)
        throw new UsageError("--slots are those of its own worker: leave it out with --no-worker");
      const workflow = scaled(await workflowIn(file), flags.timeScale);
      const endless = endlessTask(workflow);
      if (endless !== undefined)
        throw new WorkflowFileError(
          file,
          `task ${endless.id} would take more than ${DURATION_MAX_MS / MS_PER_DAY} days: a larger --time-scale makes it shorter`,
        );
      const slots = flags.worker ? (flags.slots ?? slotsFor(workflow, spin)) : null;
      const run = { workflow, spin, slots };
      const { makespanMs, failure } = await runIt(run, { address, output });
      if (failure !== null) {
        invocation.exitCode = EXIT_CODES.failed;
        const { id } = workflow.tasks[failure.position] ?? {};
        output.note(`weft: ${id}: ${oneLine(failure.settlement.error?.message ?? "")}`);
      }
      tell(run, makespanMs, { failed: failure !== null, timeScale: flags.timeScale, output });
    });
}

function parseTimeScale(text: string): number {
  const scale = Number(text);
  if (text.trim() !== "" && scale > 0 && Number.isFinite(scale)) return scale;
  throw new UsageError(`--time-scale must be a number above 0, got "${text}"`);
}

async function workflowIn(file: string): Promise<Workflow> {
  let text: string;
  try {
    text = await readFile(file, "utf8");
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new WorkflowFileError(file, `it cannot be read (${why})`, { cause });
  }
  return readWorkflow(text, file);
}

async function runIt({ workflow, spin, slots }: Run, { address, output }: Place): Promise<Replayed> {
  const worker =
    slots === null ? null : await startReplayWorker({ ...address, slots, log: (line) => output.note(line) });
  try {
    const onError = (error: Error): void => output.note(`weft: ${oneLine(error.message)}`);
    const client = await connect({ ...address, identity: CLI_IDENTITY, onError });
    const view = output.json ? NO_PROGRESS : progressView(workflow.name);
    const following = new Following(address, view, workflow.tasks.length);
    try {
      const graph = { workflow, spin, label: worker?.label ?? null };
      return await Promise.race([replay(client, graph, following), following.refused.promise]);
    } finally {
      await following.stop();
      await client.close({ timeoutMs: 0 });
    }
  } finally {
    await worker?.stop();
  }
}

/** What is seen of a replay while it goes on, and what Ctrl-C does to it: without its worker nobody would run what is left. */
class Following {
  readonly refused: PromiseWithResolvers<never> = Promise.withResolvers<never>();
  private readonly address: ClusterAddress;
  private readonly view: ProgressView;
  private readonly count: number;
  private readonly onInterrupt = (): void => this.cancelAll();
  private handles: readonly TaskHandle[] = [];
  private reason: WaitingReason | null = null;

  constructor(address: ClusterAddress, view: ProgressView, count: number) {
    this.address = address;
    this.view = view;
    this.count = count;
  }

  submitted(handles: readonly TaskHandle[]): void {
    this.handles = handles;
    const [first] = handles;
    if (first === undefined) return;
    process.once("SIGINT", this.onInterrupt);
    this.reason = new WaitingReason(this.address, first.id, this.view.waiting);
    untilAccepted(first, this.address, ACCEPT_TIMEOUT_MS).catch(this.refused.reject);
  }

  settled(count: number): void {
    this.reason?.heard();
    this.view.progress({ fraction: count / this.count, message: `${count} of ${this.count} tasks` });
  }

  async stop(): Promise<void> {
    process.off("SIGINT", this.onInterrupt);
    this.view.end();
    await this.reason?.stop();
  }

  private cancelAll(): void {
    for (const handle of this.handles)
      handle.cancel("the replay was interrupted", { dependents: "cancel" }).catch(() => undefined);
  }
}

type Told = { readonly failed: boolean; readonly timeScale: number; readonly output: Output };

function tell({ workflow, spin, slots }: Run, makespanMs: number, { failed, timeScale, output }: Told): void {
  const { workMs, criticalPathMs, boundMs } = boundsOf(workflow, slots);
  // Scaled down to nothing there is nothing to compare with.
  const ratio = failed || boundMs === 0 ? null : Number((makespanMs / boundMs).toFixed(RATIO_DIGITS));
  const tasks = workflow.tasks.length;
  const figures = { tasks, timeScale, spin, slots, makespanMs, criticalPathMs, workMs, boundMs, ratio };
  const rows = [
    ["workflow", workflow.name],
    ["tasks", String(tasks)],
    ["critical path", describeMs(criticalPathMs)],
    ["work", describeMs(workMs)],
    ["bound", `${describeMs(boundMs)}${slots === null ? "" : ` with ${slots} slots`}`],
    ["makespan", describeMs(makespanMs)],
    ["ratio", ratio === null ? "-" : `${ratio} of the bound`],
  ];
  output.answer({ workflow: workflow.name, ...figures }, textTable(rows));
}
