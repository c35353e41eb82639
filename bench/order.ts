/** What the command line asks for. */
import { resolve } from "node:path";
import { parseArgs } from "node:util";
import { RIVALS, type Rival } from "./rivals/rivals.ts";
import type { Workload } from "./workload.ts";
import { workloads } from "./workloads.ts";

const ROUNDS = 5;
const ROUNDS_MAX = 100;
const COUNT_MIN = 10;
const COUNT_MAX = 1_000_000;
/** What `--vs` is given where nobody else is to take part. */
export const NO_RIVALS = "none";

export const help: string = `pnpm bench [NAME…] [options]

Measures Weft on this machine, everything in processes of its own on loopback. Without a NAME: all of them
but ${workloads
  .filter(isOnlyByName)
  .map(({ name }) => name)
  .join(", ")}.

${workloads.map(({ name, summary }) => `  ${name.padEnd(12)} ${summary}`).join("\n")}

  --vs RIVAL       ${RIVALS.join(", ")} or ${NO_RIVALS}; several times, or with commas between (default: all)
  --json           one JSON object per workload instead of a table (use pnpm -s)
  --write          also puts the figures into bench/RESULTS.md and bench/results.json
  --rounds N       rounds that all take turns in (default ${ROUNDS})
  --count N        of what is measured, per round (default ${workloads.map((each) => `${each.name} ${each.defaultCount}`).join(", ")})
  --workflow FILE  what replay runs, in WfFormat (default: a small one)
  --profile DIR    also write a CPU profile of each process to this folder
  --help           this text`;

export type Order = {
  readonly chosen: readonly Workload[];
  readonly rivals: readonly Rival[];
  readonly json: boolean;
  readonly write: boolean;
  readonly rounds: number;
  /** Null for the workload's own. */
  readonly count: number | null;
  /** The file of the workflow that is replayed; null for a small one. */
  readonly workflow: string | null;
  readonly profileFolder: string | null;
};

/** Null for the help. Throws where it makes no sense. */
export function orderOf(args: readonly string[]): Order | null {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      vs: { type: "string", multiple: true },
      json: { type: "boolean", default: false },
      write: { type: "boolean", default: false },
      rounds: { type: "string", default: String(ROUNDS) },
      count: { type: "string" },
      workflow: { type: "string" },
      profile: { type: "string" },
      help: { type: "boolean", short: "h", default: false },
    },
  });
  if (values.help) return null;
  return {
    chosen:
      positionals.length === 0
        ? workloads.filter((each) => !isOnlyByName(each))
        : positionals.map(workloadOf),
    rivals: rivalsOf(values.vs),
    json: values.json,
    write: values.write,
    rounds: whole("--rounds", values.rounds, 1, ROUNDS_MAX),
    count: values.count === undefined ? null : whole("--count", values.count, COUNT_MIN, COUNT_MAX),
    workflow: values.workflow === undefined ? null : resolve(values.workflow),
    profileFolder: values.profile === undefined ? null : resolve(values.profile),
  };
}

function rivalsOf(texts: readonly string[] | undefined): readonly Rival[] {
  if (texts === undefined) return RIVALS;
  const names = texts.flatMap((text) => text.split(","));
  if (names.join() === NO_RIVALS) return [];
  return names.map((name) => {
    const found = RIVALS.find((each) => each === name);
    if (found !== undefined) return found;
    throw new Error(`there is no rival "${name}" (known: ${RIVALS.join(", ")}; ${NO_RIVALS} alone for none)`);
  });
}

function isOnlyByName({ onlyByName = false }: Workload): boolean {
  return onlyByName;
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
