/** The command line as a whole: the commands, and what happens to what they throw. */
import { readFileSync } from "node:fs";
import { Command, CommanderError } from "commander";
import { reportError } from "./error-report.ts";
import { type ExitCode, exitCodeOf } from "./exit-code.ts";
import { addGlobalOptions, examples, type Invocation, newInvocation } from "./invocation.ts";

type MakeCommand = (invocation: Invocation) => Command;

/** In the order of the help. Each is loaded when it is needed: most of the time of a short command is the loading of modules. */
const COMMANDS: Readonly<Record<string, () => Promise<MakeCommand>>> = {
  dev: async () => (await import("./commands/dev.ts")).devCommand,
  init: async () => (await import("./commands/init.ts")).initCommand,
  coordinator: async () => (await import("./commands/coordinator.ts")).coordinatorCommand,
  worker: async () => (await import("./commands/worker.ts")).workerCommand,
  submit: async () => (await import("./commands/submit.ts")).submitCommand,
  show: async () => (await import("./commands/show.ts")).showCommand,
  explain: async () => (await import("./commands/explain.ts")).explainCommand,
  ls: async () => (await import("./commands/ls.ts")).lsCommand,
  workers: async () => (await import("./commands/workers.ts")).workersCommand,
  events: async () => (await import("./commands/events.ts")).eventsCommand,
  cancel: async () => (await import("./commands/cancel.ts")).cancelCommand,
  replay: async () => (await import("./commands/replay.ts")).replayCommand,
  doctor: async () => (await import("./commands/doctor.ts")).doctorCommand,
  log: async () => (await import("./commands/log.ts")).logCommand,
  repair: async () => (await import("./commands/repair.ts")).repairCommand,
};

const EXIT_CODE_HELP = `
Exit codes: 0 done, 1 the task failed, 2 usage, 3 cannot reach the cluster.
WEFT_DEBUG=1 adds the stack to an error.
`;

/** Runs one command with the arguments behind its name; resolves with the exit code when it is over. */
export async function run(args: readonly string[]): Promise<ExitCode> {
  const invocation = newInvocation();
  try {
    const program = await programOf(invocation, args[0]);
    await program.parseAsync(args, { from: "user" });
    return invocation.exitCode;
  } catch (error) {
    const code = exitCodeOf(error);
    // Help and version are thrown as well, printed already; so is the help of a command line without a command.
    const isSilent = code === 0 || (error instanceof CommanderError && error.code === "commander.help");
    if (!isSilent) reportError(error, args.includes("--json"));
    return code;
  }
}

/** With all commands, or with none but `first` where that is the name of one: the others would not be asked. */
export async function programOf(invocation: Invocation, first?: string): Promise<Command> {
  const program = configured(new Command("weft"))
    .description("A distributed task cluster on NATS: run it, submit tasks, look inside.")
    .version(versionOfPackage(), "-V, --version", "print the version");
  addGlobalOptions(program);
  const only = first !== undefined && Object.hasOwn(COMMANDS, first) ? COMMANDS[first] : undefined;
  for (const load of only === undefined ? Object.values(COMMANDS) : [only]) {
    const command = await load();
    program.addCommand(configured(command(invocation)));
  }
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
