/** What the processes of a contender have used of the processor. */
import type { Child } from "./child.ts";
import type { Contract } from "./child-contract.ts";
import type { Sample } from "./rounds.ts";
import { serverCpuUs } from "./server-cpu.ts";

type Role = "client" | "worker" | "coordinator";

/** Those that it has. */
export type Processes = Readonly<Partial<Record<Role, Pick<Child<Contract>, "cpuUs">>>>;

/** Of each so far, in microseconds, and of all together. */
async function cpuUsOf({ client, worker, coordinator }: Processes, serverPid: number): Promise<Sample> {
  const all: Record<string, number> = {};
  if (client !== undefined) all.cpuClientUs = await client.cpuUs();
  if (worker !== undefined) all.cpuWorkerUs = await worker.cpuUs();
  if (coordinator !== undefined) all.cpuCoordinatorUs = await coordinator.cpuUs();
  const server = serverCpuUs(serverPid);
  if (server !== null) all.cpuServerUs = server;
  return { ...all, cpuUs: Object.values(all).reduce((sum, us) => sum + us, 0) };
}

/** What a run takes of it, for each of its tasks. */
export async function withCpuPerTask<T>(
  { processes, serverPid }: { readonly processes: Processes; readonly serverPid: number },
  run: () => Promise<T>,
  tasksOf: (result: T) => number,
): Promise<{ readonly result: T; readonly cpu: Sample }> {
  const before = await cpuUsOf(processes, serverPid);
  const result = await run();
  const after = await cpuUsOf(processes, serverPid);
  const tasks = tasksOf(result);
  const perTask = Object.entries(after).map(([key, us]) => [key, (us - (before[key] ?? 0)) / tasks]);
  return { result, cpu: Object.fromEntries(perTask) };
}
