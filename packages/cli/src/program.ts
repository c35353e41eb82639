/** The command line as a whole: the commands, and what happens to what they throw. */
import { readFileSync } from "node:fs";
import { Command, CommanderError } from "commander";
import { cancelCommand } from "./commands/cancel.ts";
import { coordinatorCommand } from "./commands/coordinator.ts";
import { devCommand } from "./commands/dev.ts";
import { doctorCommand } from "./commands/doctor.ts";
import { eventsCommand } from "./commands/events.ts";
import { explainCommand } from "./commands/explain.ts";
import { initCommand } from "./commands/init.ts";
import { logCommand } from "./commands/log.ts";
import { lsCommand } from "./commands/ls.ts";
import { repairCommand } from "./commands/repair.ts";
import { replayCommand } from "./commands/replay.ts";
import { showCommand } from "./commands/show.ts";
import { submitCommand } from "./commands/submit.ts";
import { workerCommand } from "./commands/worker.ts";
import { workersCommand } from "./commands/workers.ts";
import { reportError } from "./error-report.ts";
import { type ExitCode, exitCodeOf } from "./exit-code.ts";
import { addGlobalOptions, examples, type Invocation, newInvocation } from "./invocation.ts";

const COMMANDS: readonly ((invocation: Invocation) => Command)[] = [
  devCommand,
  initCommand,
  coordinatorCommand,
  workerCommand,
  submitCommand,
  showCommand,
  explainCommand,
  lsCommand,
  workersCommand,
  eventsCommand,
  cancelCommand,
  replayCommand,
  doctorCommand,
  logCommand,
  repairCommand,
];

const EXIT_CODE_HELP = `
Exit codes: 0 done, 1 the task failed, 2 usage, 3 cannot reach the cluster.
WEFT_DEBUG=1 adds the stack to an error.
`;

/** Runs one command with the arguments behind its name; resolves with the exit code when it is over. */
export async function run(args: readonly string[]): Promise<ExitCode> {
  const invocation = newInvocation();
  try {
    await programOf(invocation).parseAsync(args, { from: "user" });
    return invocation.exitCode;
  } catch (error) {
    const code = exitCodeOf(error);
    // Help and version are thrown as well, printed already; so is the help of a command line without a command.
    const isSilent = code === 0 || (error instanceof CommanderError && error.code === "commander.help");
    if (!isSilent) reportError(error, args.includes("--json"));
    return code;
  }
}

export function programOf(invocation: Invocation): Command {
  const program = configured(new Command("weft"))
    .description("A distributed task cluster on NATS: run it, submit tasks, look inside.")
    .version(versionOfPackage(), "-V, --version", "print the version");
  addGlobalOptions(program);
  for (const command of COMMANDS) program.addCommand(configured(command(invocation)));
  return program.addHelpText(
    "after",
    EXIT_CODE_HELP + examples("weft dev tasks.ts", 'weft submit add \'{"a":1,"b":2}\' --watch'),
  );
}

function configured(command: Command): Command {
  return command
    .exitOverride()
    .configureHelp({ showGlobalOptions: true })
    .helpOption("-h, --help", "print this help")
    .configureOutput({ outputError: () => undefined });
}

function versionOfPackage(): string {
  const manifest: unknown = JSON.parse(readFileSync(new URL("../package.json", import.meta.url), "utf8"));
  const isNamed = typeof manifest === "object" && manifest !== null && "version" in manifest;
  return isNamed && typeof manifest.version === "string" ? manifest.version : "unknown";
}
