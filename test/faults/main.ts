/** `pnpm faults`: real processes under load to which everything is done that may happen; in the end the account must balance. */
import { parseArgs } from "node:util";
import { Dice } from "@weft/testing/simulation";
import { FaultRun } from "./fault-run.ts";
import { findGround, type Ground } from "./ground.ts";
import { RUN_VARIABLE } from "./leftovers.ts";
import { NamespaceNetwork } from "./namespace-network.ts";
import { faultNames } from "./plan.ts";
import { ProxyNetwork } from "./proxy-network.ts";
import { GROUND_VARIABLE, runInSandbox } from "./sandbox.ts";

const help = `pnpm faults [--minutes M] [--nodes N] [--seed S] [--network WAY] [--only KINDS] [--apart]
                  [--open N] [--rate N] [--json]

Runs NATS nodes, two coordinators, three workers and two clients under load for M minutes, and kills, freezes, cuts off,
slows, fills and restarts them at random. In the end every acknowledged task must have had one outcome, and the right one.

  --minutes M     how long the faults go on (default 2)
  --nodes N       NATS nodes: 1, or 3 with three replicas of the log (default 3)
  --seed S        of the plan of faults (default: drawn, and told)
  --network WAY   "namespaces", "proxies", or "auto" for namespaces where the machine has them (default auto)
  --only KINDS    some kinds of faults, with commas between:
                  ${faultNames()
                    .join(", ")
                    .replace(/(.{60,80}?), /g, "$1,\n                  ")}
  --apart         each fault waits until the one before has healed, and tasks are prompt again, so that each figure is
                  of one fault
  --open N        tasks that are open at most (default 4000)
  --rate N        tasks that are submitted in a second at most (default: as many as the cluster takes, on one machine
                  so many that its cores have nothing left)
  --json          one JSON object on standard output; the story goes to standard error either way

It ends with 1 when something was lost, told twice, wrong or left hanging, and says what.
`;

const { values } = parseArgs({
  options: {
    minutes: { type: "string", default: "2" },
    nodes: { type: "string", default: "3" },
    seed: { type: "string" },
    network: { type: "string", default: "auto" },
    only: { type: "string" },
    apart: { type: "boolean", default: false },
    open: { type: "string", default: "4000" },
    rate: { type: "string" },
    json: { type: "boolean", default: false },
    help: { type: "boolean", short: "h", default: false },
  },
});

const tell = (line: string): void => console.error(line);

function usage(message: string): never {
  console.error(`faults: ${message}`);
  process.exit(2);
}

function whole(option: string, text: string, least: number, most: number): number {
  const value = Number(text);
  if (Number.isInteger(value) && value >= least && value <= most) return value;
  return usage(`${option} must be a whole number from ${least} to ${most}, got "${text}"`);
}

function kinds(text: string | undefined): readonly string[] | null {
  if (text === undefined) return null;
  const known = faultNames();
  const wanted = text.split(",").map((each) => each.trim());
  const unknown = wanted.find((each) => !known.includes(each));
  return unknown === undefined
    ? wanted
    : usage(`--only: there is no "${unknown}" (known: ${known.join(", ")})`);
}

const minutes = whole("--minutes", values.minutes, 1, 600);
const nodes = whole("--nodes", values.nodes, 1, 3);
const openMax = whole("--open", values.open, 2, 1_000_000);
const perSecond = values.rate === undefined ? null : whole("--rate", values.rate, 1, 1_000_000);
const seed = whole("--seed", values.seed ?? String(Math.floor(Math.random() * 2 ** 31)), 0, 2 ** 31);
const only = kinds(values.only);

/** Outside: what is to be inside is started there. */
async function supervise(): Promise<number> {
  const { network } = values;
  if (network !== "auto" && network !== "namespaces" && network !== "proxies")
    return usage(`--network must be auto, namespaces or proxies, got "${network}"`);
  const ground = await findGround(network);
  return runInSandbox({
    ground,
    command: [process.execPath, import.meta.filename, ...process.argv.slice(2), "--seed", String(seed)],
    tell,
  });
}

async function runInside(ground: Ground): Promise<number> {
  const folder = process.env[RUN_VARIABLE] ?? "";
  const network =
    ground.type === "namespaces"
      ? await NamespaceNetwork.create(folder, ground.shaper)
      : new ProxyNetwork(ground.wrap, ground.why, new Dice(seed).fork());
  const starting = FaultRun.start({
    network,
    nodes,
    seed,
    only,
    apart: values.apart,
    load: { openMax, perSecond },
    tell,
  });
  const interrupted = async (): Promise<void> => {
    // In namespaces everything ends with this process; without, what was started has to be stopped.
    if (ground.type === "processes") await starting.then((run) => run.stop()).catch(() => undefined);
    process.exit(130);
  };
  process.on("message", () => void interrupted());
  process.on("disconnect", () => process.exit(130));
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, () => undefined);
  const run = await starting;
  const result = await run.play(minutes * 60_000);
  await run.stop();
  if (values.json) console.log(JSON.stringify(result));
  else for (const [name, value] of Object.entries(result)) console.log(`${name}: ${JSON.stringify(value)}`);
  if (!result.passed)
    tell(
      `faults: ${result.failings.map((name) => `${name} ${JSON.stringify(result[name as "lost"])}`).join(", ")}; seed ${seed}`,
    );
  return result.passed ? 0 : 1;
}

if (values.help) {
  console.log(help);
  process.exit();
}
const ground = process.env[GROUND_VARIABLE];
process.exit(ground === undefined ? await supervise() : await runInside(JSON.parse(ground) as Ground));
