/** One run of the command: the options that every command has, and what its process ends with. */
import { Namespace, UsageError } from "@weft/protocol";
import { DEFAULT_SERVER, serversOf } from "@weft/transport";
import { type Command, Option } from "commander";
import type { ClusterAddress } from "./cluster.ts";
import { EXIT_CODES, type ExitCode } from "./exit-code.ts";
import { Output } from "./output.ts";
import { parseDurationMs } from "./quantity.ts";

/** Set by a command whose answer is no error and still not "done". */
export type Invocation = { exitCode: ExitCode };

export const newInvocation = (): Invocation => ({ exitCode: EXIT_CODES.done });

type GlobalOptions = {
  readonly url?: string;
  readonly namespace: string;
  readonly connectTimeout: string;
  readonly json?: boolean;
};

export type Globals = { readonly address: ClusterAddress; readonly output: Output };

const CONNECT_TIMEOUT = "3s";
/** A coordinator or worker may be started together with its server. */
export const FOREGROUND_CONNECT_TIMEOUT = "10s";

export function addGlobalOptions(program: Command): Command {
  return program
    .addOption(
      new Option(
        "--url <URL,…>",
        `the NATS server, or several of one cluster (default: "${DEFAULT_SERVER}")`,
      ).env("WEFT_URL"),
    )
    .addOption(
      new Option("--namespace <NAME>", "the cluster's namespace").env("WEFT_NAMESPACE").default("default"),
    )
    .addOption(
      new Option(
        "--connect-timeout <DURATION>",
        `how long to wait for a server, and then for a leader's answer (coordinator and worker: ${FOREGROUND_CONNECT_TIMEOUT})`,
      ).default(CONNECT_TIMEOUT),
    )
    .option("--json", "print JSON for programs instead of text for people");
}

export function globalsOf(command: Command, connectTimeoutDefault: string = CONNECT_TIMEOUT): Globals {
  const options = command.optsWithGlobals<GlobalOptions>();
  const isDefault = command.getOptionValueSourceWithGlobals("connectTimeout") === "default";
  const timeout = isDefault ? connectTimeoutDefault : options.connectTimeout;
  const servers = serversOf(options.url === undefined ? {} : { servers: options.url });
  if (servers.length === 0)
    throw new UsageError("--url (or WEFT_URL) is empty: name a NATS server, such as nats://127.0.0.1:4222");
  return {
    address: {
      servers,
      namespace: Namespace.parse(options.namespace),
      connectTimeoutMs: parseDurationMs(timeout, "--connect-timeout"),
    },
    output: new Output(options.json === true),
  };
}

/** Examples below the help of a command; a test runs them. */
export function examples(...lines: readonly string[]): string {
  return `\n${lines.length === 1 ? "Example:" : "Examples:"}\n${lines.map((line) => `  $ ${line}`).join("\n")}\n`;
}
