/**
 * A recorded workflow as it is replayed: tasks with their run times, each after those that it waits for. Pure.
 */
import { DURATION_MAX_MS } from "@weft/protocol";

export type WorkflowTask = {
  readonly id: string;
  readonly name: string;
  readonly runMs: number;
  /** Positions in the list of tasks, all before its own. */
  readonly parents: readonly number[];
};

export type Workflow = { readonly name: string; readonly tasks: readonly WorkflowTask[] };

/** The same workflow, faster by this factor. In whole milliseconds: timers know nothing finer. */
export function scaled({ name, tasks }: Workflow, timeScale: number): Workflow {
  return { name, tasks: tasks.map((task) => ({ ...task, runMs: Math.round(task.runMs / timeScale) })) };
}

/** A task that takes longer than any timer waits, which would end at once instead. */
export function endlessTask({ tasks }: Workflow): WorkflowTask | undefined {
  return tasks.find(({ runMs }) => runMs > DURATION_MAX_MS);
}

export type Bounds = {
  /** All run times together. */
  readonly workMs: number;
  /** The longest chain of tasks that wait for one another: no cluster is faster. */
  readonly criticalPathMs: number;
  /** No cluster with so many slots is faster. */
  readonly boundMs: number;
};

/** @param slots Tasks that run at once; null where nobody knows. */
export function boundsOf({ tasks }: Workflow, slots: number | null): Bounds {
  const endMs = new Float64Array(tasks.length);
  let workMs = 0;
  let criticalPathMs = 0;
  for (const [index, { runMs, parents }] of tasks.entries()) {
    let startMs = 0;
    for (const parent of parents) startMs = Math.max(startMs, endMs[parent] ?? 0);
    endMs[index] = startMs + runMs;
    criticalPathMs = Math.max(criticalPathMs, startMs + runMs);
    workMs += runMs;
  }
  const boundMs = slots === null ? criticalPathMs : Math.max(criticalPathMs, workMs / slots);
  return { workMs, criticalPathMs, boundMs };
}
