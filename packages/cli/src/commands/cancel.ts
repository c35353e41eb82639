import { type CancelAnswer, type Client, connect } from "@weft/client";
import { stoppedText, TaskId, TEXT_LENGTH_MAX, UsageError, type WeftError } from "@weft/protocol";
import { Command, Option } from "commander";
import { CLI_IDENTITY, withCluster } from "../cluster.ts";
import { type ErrorObject, errorObject } from "../error-report.ts";
import { EXIT_CODES } from "../exit-code.ts";
import { examples, globalsOf, type Invocation } from "../invocation.ts";
import { describeMs, parseDurationMs } from "../quantity.ts";

type CancelFlags = { readonly reason?: string; readonly dependents?: true; readonly timeout: number };

type Cancelled = {
  readonly id: TaskId;
  /** Null where it has not ended in time, or nobody knows it. */
  readonly outcome: CancelAnswer["outcome"] | null;
  readonly stopped: CancelAnswer["stopped"];
  readonly also: CancelAnswer["also"];
  readonly error?: ErrorObject;
};

const TIMEOUT_DEFAULT_MS = 10_000;
const NONE = { children: 0, dependents: 0 };

export function cancelCommand(invocation: Invocation): Command {
  return new Command("cancel")
    .description("Cancel tasks, and tell where it caught them. A success that was faster stays one.")
    .argument("<ID...>", "the tasks' ids")
    .option("--reason <TEXT>", "told to whoever waits for them", parseReason)
    .option("--dependents", "cancel what waits for them, too; else that fails")
    .addOption(
      new Option("--timeout <DURATION>", "how long to wait until they have ended")
        .argParser((text) => parseDurationMs(text, "--timeout"))
        .default(TIMEOUT_DEFAULT_MS, "10s"),
    )
    .addHelpText("after", examples('weft cancel 00aoud1b8MFCdyAhxiLz4w --reason "wrong input"'))
    .action(async (texts: string[], flags: CancelFlags, command: Command) => {
      const { address, output } = globalsOf(command);
      const ids = [...new Set(texts.map((text) => TaskId.parse(text)))];
      // Asked before anything is recorded: a cancel of an unknown id would wait for a submit that may never come.
      const unknown = await withCluster(address, (cluster) => cluster.unknown(ids));
      const client = await connect({ ...address, identity: CLI_IDENTITY, onError: () => undefined });
      try {
        const answers = await Promise.all(
          ids.map((id) => {
            const error = unknown.get(id);
            return error === undefined ? cancel(client, id, flags) : nothing(id, error);
          }),
        );
        output.answer(
          answers,
          answers.map((answer) => describe(answer, flags.timeout)),
        );
        if (answers.some(({ outcome }) => outcome === null)) invocation.exitCode = EXIT_CODES.failed;
      } finally {
        await client.close();
      }
    });
}

function parseReason(text: string): string {
  if (text.length > TEXT_LENGTH_MAX)
    throw new UsageError(`--reason must be at most ${TEXT_LENGTH_MAX} characters`);
  return text;
}

async function cancel(
  client: Client,
  id: TaskId,
  { reason, dependents, timeout }: CancelFlags,
): Promise<Cancelled> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<null>((resolve) => {
    timer = setTimeout(() => resolve(null), timeout);
  });
  const answer = await Promise.race([
    client.handle(id).cancel(reason, { dependents: dependents === true ? "cancel" : "fail" }),
    late,
  ]);
  clearTimeout(timer);
  return {
    id,
    outcome: answer?.outcome ?? null,
    stopped: answer?.stopped ?? null,
    also: answer?.also ?? NONE,
  };
}

function nothing(id: TaskId, error: WeftError): Cancelled {
  return { id, outcome: null, stopped: null, also: NONE, error: errorObject(error) };
}

function describe({ id, outcome, stopped, also, error }: Cancelled, timeoutMs: number): string {
  if (error !== undefined)
    return `${id} ${error.code === "weft_result_expired" ? "expired" : "unknown"}: ${error.message}`;
  if (outcome === null) {
    return `${id} cancelling: it has not ended within ${describeMs(timeoutMs)}; its code has been told through ctx.signal`;
  }
  if (stopped !== null) return `${id} ${outcome} ${stoppedText(stopped)}${alsoText(also)}`;
  return `${id} ${outcome} already`;
}

/** With what it took along. */
function alsoText({ children, dependents }: CancelAnswer["also"]): string {
  const told = [
    ...(children > 0 ? [`${children} of its children`] : []),
    ...(dependents > 0 ? [`${dependents} that waited`] : []),
  ];
  return told.length === 0 ? "" : `, with ${told.join(" and ")}`;
}
