/** `pnpm bench:check [NAME…]`: measures again what results were kept of, and fails where too much was lost. */
import { bestOf, LOSS_MAX, type Verdict, verdictsOf } from "./comparison.ts";
import { type Order, orderOf } from "./order.ts";
import { readResults } from "./results.ts";
import { run } from "./run.ts";

const help = `pnpm bench:check [NAME…] [--rounds N] [--count N]

Measures again, without rivals, what bench/results.json has a share of the limit of (or bytes), prints what is left of each, and fails
where more than ${LOSS_MAX * 100} % of it is lost twice in a row. Without a NAME: all that results were kept of.`;

/** How many figures have lost too much. */
async function check({ chosen, rounds, count }: Order): Promise<number> {
  const results = await readResults();
  let losses = 0;
  let compared = 0;
  for (const workload of chosen) {
    const before = results[workload.name];
    // One that has nothing to compare with itself need not be run.
    if (before === undefined || verdictsOf(before, before).length === 0) continue;
    const measure = async (): Promise<Verdict[]> =>
      verdictsOf(
        before,
        await run(workload, { rivals: [], rounds, count, say: console.error, profileFolder: null }),
      );
    let verdicts = await measure();
    // A machine that was busy for a while looks like a loss.
    if (verdicts.some(({ isLoss }) => isLoss)) verdicts = bestOf(verdicts, await measure());
    for (const { what, metric, before: was, now: is, left, isLoss } of verdicts) {
      const word = isLoss ? "LOSS" : "ok  ";
      console.log(`${word} ${what} ${metric}: ${was} before, ${is} now, ${left.toFixed(2)} left`);
      compared++;
      if (isLoss) losses++;
    }
  }
  if (compared === 0)
    throw new Error("there are no results to compare with: pnpm -s bench --write keeps them");
  return losses;
}

try {
  const order = orderOf(process.argv.slice(2));
  if (order === null) console.log(help);
  else process.exitCode = (await check(order)) === 0 ? 0 : 1;
} catch (error) {
  console.error(`bench: ${error instanceof Error ? error.message : String(error)}`);
  process.exitCode = 1;
}
