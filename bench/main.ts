/** `pnpm bench [NAME…]`: runs workloads and prints their figures. Standard output has nothing but these. */
import { resolve } from "node:path";
import { parseArgs } from "node:util";
import { latency } from "./latency/latency.ts";
import { machine, versions } from "./machine.ts";
import { memory } from "./memory/memory.ts";
import { recovery } from "./recovery/recovery.ts";
import { textOf } from "./table.ts";
import { throughput } from "./throughput/throughput.ts";
import { type Amounts, Setting, type Workload } from "./workload.ts";

const workloads: readonly Workload[] = [latency, throughput, recovery, memory];

const ROUNDS = 5;
const ROUNDS_MAX = 100;
const COUNT_MIN = 10;
const COUNT_MAX = 1_000_000;

const help = `pnpm bench [NAME…] [options]

Measures Weft on this machine, everything in processes of its own on loopback. Without a NAME: all of them.

${workloads.map(({ name, summary }) => `  ${name.padEnd(12)} ${summary}`).join("\n")}

  --json           one JSON object per workload instead of a table (use pnpm -s)
  --rounds N       rounds that Weft and the limit take turns in (default ${ROUNDS})
  --count N        of what is measured, per round (default ${workloads.map((each) => `${each.name} ${each.defaultCount}`).join(", ")})
  --no-rivals      without the rivals
  --profile DIR    also write a CPU profile of each process to this folder
  --help           this text`;

type Order = {
  readonly chosen: readonly Workload[];
  readonly json: boolean;
  readonly amounts: Omit<Amounts, "count">;
  /** Null for the workload's own. */
  readonly count: number | null;
  readonly profileFolder: string | null;
};

/** What the command line asks for; null for the help. Throws where it makes no sense. */
function orderOf(args: readonly string[]): Order | null {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      json: { type: "boolean", default: false },
      rounds: { type: "string", default: String(ROUNDS) },
      count: { type: "string" },
      "no-rivals": { type: "boolean", default: false },
      profile: { type: "string" },
      help: { type: "boolean", short: "h", default: false },
    },
  });
  if (values.help) return null;
  const chosen = positionals.length === 0 ? workloads : positionals.map(workloadOf);
  const amounts = {
    rounds: whole("--rounds", values.rounds, 1, ROUNDS_MAX),
    rivals: !values["no-rivals"],
  };
  const count = values.count === undefined ? null : whole("--count", values.count, COUNT_MIN, COUNT_MAX);
  const profileFolder = values.profile === undefined ? null : resolve(values.profile);
  return { chosen, json: values.json, amounts, count, profileFolder };
}

function workloadOf(name: string): Workload {
  const found = workloads.find((each) => each.name === name);
  if (found !== undefined) return found;
  throw new Error(`there is no workload "${name}" (known: ${workloads.map((each) => each.name).join(", ")})`);
}

function whole(option: string, text: string, least: number, most: number): number {
  const value = Number(text);
  if (Number.isInteger(value) && value >= least && value <= most) return value;
  throw new Error(`${option} must be a whole number from ${least} to ${most}, got "${text}"`);
}

async function run(workload: Workload, { json, amounts, count, profileFolder }: Order): Promise<void> {
  const say = (line: string): void => {
    if (!json) console.error(`${workload.name}: ${line}`);
  };
  await using setting = await Setting.open(
    { ...amounts, count: count ?? workload.defaultCount },
    say,
    profileFolder,
  );
  const { figures, table, notes } = await workload.run(setting);
  const about = { machine: machine(), versions: versions(setting.server.version) };
  if (json) console.log(JSON.stringify({ name: workload.name, ...figures, ...about }));
  else console.log(textOf(workload.name, table, [...notes, ...linesOf(about)]));
}

function linesOf(about: Readonly<Record<string, object>>): string[] {
  return Object.entries(about).map(
    ([name, fields]) =>
      `${name}: ${Object.entries(fields)
        .map(([key, value]) => `${key} ${String(value)}`)
        .join(", ")}`,
  );
}

try {
  const order = orderOf(process.argv.slice(2));
  if (order === null) console.log(help);
  else for (const workload of order.chosen) await run(workload, order);
} catch (error) {
  console.error(`bench: ${error instanceof Error ? error.message : String(error)}`);
  process.exitCode = 1;
}
