import { type Client, connect, type Settlement, type SubmitOptions, type TaskHandle } from "@weft/client";
import { RETRY_ATTEMPTS_MAX, UsageError } from "@weft/protocol";
import { Command, Option } from "commander";
import { untilAccepted } from "../acceptance.ts";
import { CLI_IDENTITY, type ClusterAddress } from "../cluster.ts";
import { EXIT_CODES, type ExitCode } from "../exit-code.ts";
import { examples, globalsOf, type Invocation } from "../invocation.ts";
import { toJson } from "../json-value.ts";
import { type Output, oneLine } from "../output.ts";
import { NO_PROGRESS, progressView } from "../progress-view.ts";
import { parseDurationMs, parseList, parseWhole } from "../quantity.ts";
import { taskInput } from "../task-input.ts";
import { causeLines, taskOutcome } from "../task-outcome.ts";
import { WaitingReason } from "../waiting-reason.ts";

type SubmitFlags = {
  readonly watch?: boolean;
  readonly keepResult: boolean;
  readonly dependsOn?: readonly string[];
  readonly priority?: number;
  readonly labels?: readonly string[];
  readonly maxAttempts?: number;
  readonly timeout?: number;
  readonly queueTimeout?: number;
  readonly deadline?: number;
  readonly dependencyTimeout?: number;
  readonly acceptTimeout: number;
};

type Watched = { readonly handle: TaskHandle; readonly address: ClusterAddress; readonly output: Output };

const PRIORITY_RANGE = { least: Number.MIN_SAFE_INTEGER, most: Number.MAX_SAFE_INTEGER };
const ACCEPT_TIMEOUT_DEFAULT_MS = 10_000;
const JSON_INDENT = 2;

export function submitCommand(invocation: Invocation): Command {
  return new Command("submit")
    .description("Submit a task. Prints its id once the log has it; with --watch, its result.")
    .argument("<NAME>", "the task's name")
    .argument("[JSON]", "its input; - reads it from standard input")
    .option("--watch", "follow the task to its end: progress, then the result as JSON")
    .option(
      "--no-keep-result",
      "with --watch: once the result is here, the cluster need not keep it for anybody else",
    )
    .option(
      "--depends-on <ID,…>",
      "tasks that must succeed first; their results are ctx.deps, in this order",
      parseList,
    )
    .option("--priority <N>", "among tasks that may run, higher ones run first (default: 0)", (text) =>
      parseWhole(text, "--priority", PRIORITY_RANGE),
    )
    .option("--labels <A,B,…>", "only workers that have all of these labels run it", parseList)
    .option("--max-attempts <N>", "tries in all (default: 1)", (text) =>
      parseWhole(text, "--max-attempts", { least: 1, most: RETRY_ATTEMPTS_MAX }),
    )
    .option("--timeout <DURATION>", "how long one run may take", durationOf("--timeout"))
    .option("--queue-timeout <DURATION>", "how long until a worker begins it", durationOf("--queue-timeout"))
    .option("--deadline <DURATION>", "how long from now it may take in all", durationOf("--deadline"))
    .option(
      "--dependency-timeout <DURATION>",
      "how long it may wait for its dependencies, or off (default: 10m)",
      (text) => (text === "off" ? 0 : parseDurationMs(text, "--dependency-timeout")),
    )
    .addOption(
      new Option("--accept-timeout <DURATION>", "how long to wait until the log has the task")
        .argParser((text) => parseDurationMs(text, "--accept-timeout"))
        .default(ACCEPT_TIMEOUT_DEFAULT_MS, "10s"),
    )
    .addHelpText(
      "after",
      examples('weft submit add \'{"a":1,"b":2}\' --watch', "echo '[1,2]' | weft submit echo - --priority 5"),
    )
    .action(async (name: string, json: string | undefined, flags: SubmitFlags, command: Command) => {
      const { address, output } = globalsOf(command);
      checkKept(flags);
      const input = await taskInput(json);
      const client = await connectQuietly(address, output);
      let closeTimeoutMs = 0;
      try {
        const handle = client.submit(name, input, submitOptions(flags));
        await untilAccepted(handle, address, flags.acceptTimeout);
        closeTimeoutMs = flags.acceptTimeout;
        if (flags.watch !== true) return output.answer({ id: handle.id }, [handle.id]);
        output.note(`task ${name} ${handle.id} accepted`);
        const settlement = await watch({ handle, address, output });
        invocation.exitCode = settlement === null ? EXIT_CODES.failed : tell(handle, settlement, output);
      } finally {
        // What the log did not take in time is given up: the error says so.
        await client.close({ timeoutMs: closeTimeoutMs });
      }
    });
}

const durationOf =
  (option: string) =>
  (text: string): number =>
    parseDurationMs(text, option);

/** A result goes with the word of the client that has it: one that does not wait never says it, and all would be kept. */
function checkKept({ watch, keepResult }: SubmitFlags): void {
  if (!keepResult && watch !== true)
    throw new UsageError("--no-keep-result is for --watch: nobody else says that the result has arrived");
}

function submitOptions(flags: SubmitFlags): SubmitOptions {
  const { dependsOn, priority, labels, maxAttempts, deadline } = flags;
  const { timeout, queueTimeout, dependencyTimeout } = flags;
  return {
    keepResult: flags.keepResult,
    ...(dependsOn === undefined ? {} : { dependsOn }),
    ...(priority === undefined ? {} : { priority }),
    ...(labels === undefined ? {} : { labels }),
    ...(maxAttempts === undefined ? {} : { retry: { maximumAttempts: maxAttempts } }),
    ...(timeout === undefined ? {} : { timeout }),
    ...(queueTimeout === undefined ? {} : { queueTimeout }),
    ...(deadline === undefined ? {} : { deadline: `${deadline}ms` }),
    ...(dependencyTimeout === undefined ? {} : { dependencyTimeout }),
  };
}

/** A client that tells each kind of trouble once, in a line. */
async function connectQuietly(address: ClusterAddress, output: Output): Promise<Client> {
  const told = new Set<string>();
  const onError = (error: Error): void => {
    if (told.has(error.message)) return;
    told.add(error.message);
    output.note(`weft: ${oneLine(error.message)}`);
  };
  return connect({ ...address, identity: CLI_IDENTITY, onError });
}

/** Null where the user has seen enough: the task goes on. */
async function watch({ handle, address, output }: Watched): Promise<Settlement<unknown> | null> {
  const view = output.json ? NO_PROGRESS : progressView(handle.name ?? handle.id);
  const reason = new WaitingReason(address, handle.id, view.waiting);
  const interrupted = Promise.withResolvers<null>();
  const onInterrupt = (): void => interrupted.resolve(null);
  process.once("SIGINT", onInterrupt);
  let isOver = false;
  handle.onProgress((progress) => {
    reason.heard();
    if (!isOver) view.progress(progress);
  });
  try {
    const settlement = await Promise.race([handle.settled(), interrupted.promise]);
    if (settlement === null)
      output.note(
        `\ntask ${handle.id} goes on: \`weft show ${handle.id}\` tells how, \`weft cancel ${handle.id}\` stops it`,
      );
    return settlement;
  } finally {
    isOver = true;
    process.off("SIGINT", onInterrupt);
    view.end();
    await reason.stop();
  }
}

/** An outcome is an answer, also a bad one: with --json it goes where answers go. */
function tell({ id, name }: TaskHandle, settlement: Settlement<unknown>, output: Output): ExitCode {
  const { error, value } = settlement;
  if (output.json) output.jsonLine({ id, name, ...taskOutcome(settlement) });
  else if (error === undefined) output.line(toJson(value, JSON_INDENT));
  else for (const line of [`weft: ${error.message}`, ...causeLines(error)]) output.note(line);
  return error === undefined ? EXIT_CODES.done : EXIT_CODES.failed;
}
