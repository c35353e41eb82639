import { styleText } from "node:util";
import { Command } from "commander";
import { type Check, examine } from "../examination.ts";
import { EXIT_CODES } from "../exit-code.ts";
import { examples, globalsOf, type Invocation } from "../invocation.ts";
import { oneLine } from "../output.ts";

const COLORS = { ok: "green", warn: "yellow", fail: "red" } as const;
const NAME_WIDTH = 12;
const STATUS_WIDTH = 5;

export function doctorCommand(invocation: Invocation): Command {
  return new Command("doctor")
    .description("Tell whether everything that is needed is here, and if not, what to do.")
    .option("--fetch", "download a nats-server into the cache where this machine has none")
    .addHelpText("after", examples("weft doctor"))
    .action(async ({ fetch }: { readonly fetch?: boolean }, command: Command) => {
      const { address, output } = globalsOf(command);
      const checks: Check[] = [];
      for await (const check of examine(address, fetch === true)) {
        checks.push(check);
        if (!output.json) for (const line of describe(check)) output.line(line);
      }
      const failed = checks.filter(({ status }) => status === "fail");
      if (output.json) output.jsonLine({ ok: failed.length === 0, checks });
      if (failed.length === 0) return;
      invocation.exitCode = failed.some(({ isCluster }) => isCluster)
        ? EXIT_CODES.unreachable
        : EXIT_CODES.failed;
    });
}

function describe({ name, status, message, advice }: Check): readonly string[] {
  const told = styleText(COLORS[status], status.padEnd(STATUS_WIDTH), { stream: process.stdout });
  const line = `${told} ${name.padEnd(NAME_WIDTH)} ${oneLine(message)}`;
  return advice === undefined
    ? [line]
    : [line, `${" ".repeat(STATUS_WIDTH + NAME_WIDTH + 2)}-> ${oneLine(advice)}`];
}
