/** `pnpm sim`: plays seeds of simulated clusters; a seed that fails tells its story and the line that plays it again. */
import { parseArgs } from "node:util";
import { PLANTS, plant } from "./plants/index.ts";

const help = `pnpm sim [--seeds N] [--seed S] [--plant NAME] [--first] [--story]

Plays N seeds from S on: whole clusters in one process, on simulated time, under faults that each seed draws. Holds every
state to the invariants, heals the cluster, and demands that everything that was promised comes true.

  --seeds N     how many (default 200, or 1 with --seed)
  --seed S      the first (default 1)
  --plant NAME  with a bug put in on purpose, which the seeds must find: see test/sim/plants
  --first       stop at the first seed that fails
  --story       tell the story of every seed, also of those that pass
`;

const { values } = parseArgs({
  options: {
    seeds: { type: "string" },
    seed: { type: "string" },
    plant: { type: "string" },
    first: { type: "boolean", default: false },
    story: { type: "boolean", default: false },
    help: { type: "boolean", short: "h", default: false },
  },
});

function whole(option: string, text: string, least: number): number {
  const value = Number(text);
  if (Number.isSafeInteger(value) && value >= least) return value;
  console.error(`sim: ${option} must be a whole number from ${least} on, got "${text}"`);
  process.exit(2);
}

if (values.help) {
  console.log(help);
  process.exit();
}
const first = values.seed === undefined ? 1 : whole("--seed", values.seed, 0);
const count =
  values.seeds === undefined ? (values.seed === undefined ? 200 : 1) : whole("--seeds", values.seeds, 1);
if (values.plant !== undefined) {
  const found = PLANTS.find((each) => each.name === values.plant);
  if (found === undefined) {
    console.error(
      `sim: no planted bug "${values.plant}", there are: ${PLANTS.map((each) => each.name).join(", ")}`,
    );
    process.exit(2);
  }
  plant(found);
}
// Loaded only now, with the bug in it.
const { runSeed } = await import("./run-seed.ts");

let played = 0;
let failed = 0;
let tasks = 0;
let events = 0;
let left = 0;
let purged = 0;
let carried = 0;
let playing = first;
const again = (): string =>
  `again: pnpm sim --seed ${playing}${values.plant === undefined ? "" : ` --plant ${values.plant}`}`;

/** A pipe whose reader is slow takes the last lines later: an end before that would lose them. */
function end(): void {
  process.stdout.write(`seeds: ${played - failed} passed, ${failed} failed\n`, () =>
    process.exit(failed === 0 ? 0 : 1),
  );
}

// What nobody catches would end the process of whoever threw it: the seed has failed, and no other is played.
process.on("uncaughtException", (error) => {
  played++;
  failed++;
  console.log(`seed ${playing}: nobody caught ${error.stack ?? error.message}`);
  console.log(again());
  end();
});
const startedMs = performance.now();
for (let seed = first; seed < first + count; seed++) {
  playing = seed;
  const result = await runSeed(seed);
  played++;
  tasks += result.tasks;
  events += result.events;
  left += result.left;
  purged += result.purged;
  carried += result.carried;
  const isWrong = result.wrong.length > 0;
  if (isWrong || values.story) for (const line of result.story) console.log(line);
  if (!isWrong) continue;
  failed++;
  for (const line of result.wrong) console.log(`seed ${seed}: ${line}`);
  console.log(again());
  if (values.first) break;
}
const seconds = ((performance.now() - startedMs) / 1_000).toFixed(1);
console.log(
  `${tasks} tasks, ${left} of them have left, ${purged} records purged, ${carried} values carried, ${events} events, ${seconds} s`,
);
end();
