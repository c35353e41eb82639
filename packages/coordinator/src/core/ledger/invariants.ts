/** Re-derives every cross-reference of a ledger from scratch. Called after every record in tests. */
import type { TaskId } from "@weft/protocol";
import type { Ledger } from "./ledger.ts";
import type { LiveTask } from "./task.ts";

/** What does not hold, in words; empty where all is well. */
export function checkInvariants(ledger: Ledger): string[] {
  const wrong: string[] = [];
  for (const task of ledger.live.values()) {
    if (ledger.settled.has(task.id)) wrong.push(`I1: ${task.id} is live and settled`);
    checkTask(ledger, task, wrong);
  }
  for (const [id, waiters] of ledger.unknown) {
    if (ledger.live.has(id) || ledger.settled.has(id)) wrong.push(`${id} is known and awaited as unknown`);
    if (waiters.length === 0) wrong.push(`${id} is awaited by nobody`);
  }
  return wrong;
}

function checkTask(ledger: Ledger, task: LiveTask, wrong: string[]): void {
  let unmet = 0;
  for (const id of task.dependencies) {
    const outcome = ledger.settled.get(id)?.outcome;
    if (outcome === "succeeded") continue;
    if (outcome !== undefined) wrong.push(`${task.id} is live although its dependency ${id} is ${outcome}`);
    unmet++;
    if (!waitsIn(ledger, id, task)) wrong.push(`${task.id} waits for ${id}, which does not know it`);
  }
  if (unmet !== task.unmet) wrong.push(`${task.id} counts ${task.unmet} unmet dependencies of ${unmet}`);
  if (task.state === "waiting" && unmet === 0) wrong.push(`${task.id} waits for nothing`);
  if (task.state !== "waiting" && unmet > 0)
    wrong.push(`I2: ${task.id} is ${task.state} with ${unmet} unmet dependencies`);
  if (task.attempt < 1 || task.tries > task.attempt)
    wrong.push(`I3: ${task.id} has ${task.tries} tries in attempt ${task.attempt}`);
}

function waitsIn(ledger: Ledger, id: TaskId, task: LiveTask): boolean {
  const waiters = ledger.live.get(id)?.dependents ?? ledger.unknown.get(id) ?? [];
  return waiters.includes(task);
}
