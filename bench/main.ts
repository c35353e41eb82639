/** `pnpm bench [NAME…]`: runs workloads and prints their figures. Standard output has nothing but these. */
import { help, type Order, orderOf } from "./order.ts";
import { writeResults } from "./results.ts";
import { run } from "./run.ts";
import { textOf } from "./table.ts";

/** How many workloads failed: the others run all the same. */
async function carryOut({ chosen, json, write, ...options }: Order): Promise<number> {
  const say = (line: string): void => {
    if (!json) console.error(line);
  };
  let failures = 0;
  for (const workload of chosen) {
    try {
      const report = await run(workload, { ...options, say });
      console.log(json ? JSON.stringify(report) : textOf(report));
      if (write) await writeResults(report);
    } catch (error) {
      console.error(`bench: ${workload.name}: ${messageOf(error)}`);
      failures++;
    }
  }
  return failures;
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

try {
  const order = orderOf(process.argv.slice(2));
  if (order === null) console.log(help);
  else if ((await carryOut(order)) > 0) process.exitCode = 1;
} catch (error) {
  console.error(`bench: ${messageOf(error)}`);
  process.exitCode = 1;
}
