/** The command line of the demo. */
import { existsSync } from "node:fs";
import { resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";

export type DemoOptions = {
  /** The `node_modules` folder to audit. */
  readonly folder: string;
  readonly out: string;
  /** Kill one of the workers half way. */
  readonly kill: boolean;
};

export const HELP = `npx -y pnpm@12 demo [options]

Audits everything that is installed here: licences, hashes, sizes, duplicates. Each step of each package is a task of a
cluster that is started for it: a nats-server, a coordinator and two workers, each a process of its own.

  --kill        kill -9 one of the two workers half way
  --out DIR     the folder that the report goes to (default: report)
  --root DIR    the folder whose node_modules is audited (default: this repository)
  --help        this text
`;

const REPOSITORY = fileURLToPath(new URL("../../../", import.meta.url));

/** Null where only the help was asked for. Throws where the command line makes no sense. */
export function demoOptionsOf(args: readonly string[]): DemoOptions | null {
  const values = valuesOf(args[0] === "--" ? args.slice(1) : args);
  if (values.help) return null;
  const folder = resolve(values.root, "node_modules");
  if (!existsSync(folder)) throw new Error(`there is no folder ${folder}`);
  return { folder, out: resolve(values.out), kill: values.kill };
}

function valuesOf(args: readonly string[]): {
  readonly kill: boolean;
  readonly out: string;
  readonly root: string;
  readonly help: boolean;
} {
  try {
    return parseArgs({
      args: [...args],
      options: {
        kill: { type: "boolean", default: false },
        out: { type: "string", default: "report" },
        root: { type: "string", default: REPOSITORY },
        help: { type: "boolean", short: "h", default: false },
      },
    }).values;
  } catch (error) {
    // Its first sentence says what is wrong; the others are about positional arguments, which there are none of.
    throw new Error(error instanceof Error ? error.message.replace(/\.\s.*$/s, "") : String(error));
  }
}
