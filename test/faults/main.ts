/** `pnpm faults`: real processes under load that are killed, frozen and restarted; in the end the account must balance. */
import { parseArgs } from "node:util";
import { FaultRun } from "./fault-run.ts";

const help = `pnpm faults [--minutes M] [--nodes N] [--seed S] [--json]

Runs NATS nodes, two coordinators, three workers and two clients under load for M minutes, and kills, freezes and
restarts them at random. In the end every acknowledged task must have had one outcome, and the right one.

  --minutes M   how long the faults go on (default 2)
  --nodes N     NATS nodes: 1, or 3 with three replicas of the log (default 3)
  --seed S      of the plan of faults (default: drawn, and told)
  --json        one JSON object on standard output; the story goes to standard error either way
`;

const { values } = parseArgs({
  options: {
    minutes: { type: "string", default: "2" },
    nodes: { type: "string", default: "3" },
    seed: { type: "string" },
    json: { type: "boolean", default: false },
    help: { type: "boolean", short: "h", default: false },
  },
});

function whole(option: string, text: string, least: number, most: number): number {
  const value = Number(text);
  if (Number.isInteger(value) && value >= least && value <= most) return value;
  console.error(`faults: ${option} must be a whole number from ${least} to ${most}, got "${text}"`);
  process.exit(2);
}

if (values.help) {
  console.log(help);
  process.exit();
}
const minutes = whole("--minutes", values.minutes, 1, 600);
const nodes = whole("--nodes", values.nodes, 1, 3);
const seed =
  values.seed === undefined ? Math.floor(Math.random() * 2 ** 31) : whole("--seed", values.seed, 0, 2 ** 31);

const run = await FaultRun.start({ nodes, seed, tell: (line) => console.error(line) });
const result = await run.play(minutes * 60_000);
await run.stop();
if (values.json) console.log(JSON.stringify(result));
else for (const [name, value] of Object.entries(result)) console.log(`${name}: ${JSON.stringify(value)}`);
const { lost, double_outcomes, hung_handles, wrong_results } = result;
process.exit(lost + double_outcomes + hung_handles + wrong_results === 0 ? 0 : 1);
