/** What does not hold in a scheduler, in words; empty where all is well. Called after every input in tests. */
import type { Ledger } from "../ledger/index.ts";
import { runsAlone } from "./lone-tasks.ts";
import type { Scheduler } from "./scheduler.ts";

export function checkScheduler(scheduler: Scheduler, ledger: Ledger): string[] {
  const wrong: string[] = [];
  for (const worker of scheduler.workers.values()) {
    const { credits } = worker.presence;
    if (worker.out.size > credits)
      wrong.push(`I5: ${worker.id} has ${worker.out.size} attempts out of ${credits} credits`);
    for (const out of worker.out) {
      const { id } = out.task;
      const task = ledger.live.get(id);
      if (scheduler.workerOf(id) !== worker) wrong.push(`S2: ${id} is out at ${worker.id} and elsewhere`);
      if (task === undefined) wrong.push(`${id} is out at ${worker.id} and has settled`);
      else if (task.state === "waiting") wrong.push(`I2: ${id} is out at ${worker.id} and still waits`);
      else if (runsAlone(task) && worker.keptFor !== id)
        wrong.push(`S3: ${worker.id} is not kept for ${id}, which runs alone`);
      else if (task.attempt < out.attempt) wrong.push(`${id} is out with an attempt that does not exist yet`);
    }
  }
  return wrong;
}
