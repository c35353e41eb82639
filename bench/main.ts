/** `pnpm bench [NAME…]`: runs workloads and prints their figures. Standard output has nothing but these. */
import { help, type Order, orderOf } from "./order.ts";
import { writeResults } from "./results.ts";
import { run } from "./run.ts";
import { textOf } from "./table.ts";

async function carryOut({ chosen, json, write, ...options }: Order): Promise<void> {
  const say = (line: string): void => {
    if (!json) console.error(line);
  };
  for (const workload of chosen) {
    const report = await run(workload, { ...options, say });
    console.log(json ? JSON.stringify(report) : textOf(report));
    if (write) await writeResults(report);
  }
}

try {
  const order = orderOf(process.argv.slice(2));
  if (order === null) console.log(help);
  else await carryOut(order);
} catch (error) {
  console.error(`bench: ${error instanceof Error ? error.message : String(error)}`);
  process.exitCode = 1;
}
