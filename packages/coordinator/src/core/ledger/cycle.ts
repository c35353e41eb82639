/** Finds the cycle that a new task would close. It can only close one if somebody waits for its id already. */
import type { TaskId } from "@weft/protocol";
import type { LiveTask } from "./task.ts";

/** Of a longer path the beginning and the end are told: it has to fit into a message. */
const PATH_LENGTH_MAX = 1_000;

/**
 * The path from `id` through live dependencies back to `id`, both ends included; null where there is none. Iterative:
 * a chain of dependencies may be longer than any stack.
 */
export function findCycle(
  id: TaskId,
  dependencies: readonly TaskId[],
  live: { readonly get: (id: TaskId) => LiveTask | undefined },
): TaskId[] | null {
  const cameFrom = new Map<TaskId, TaskId>();
  const open: TaskId[] = [];
  for (const dependency of dependencies) {
    if (dependency === id) return [id, id];
    if (!cameFrom.has(dependency)) {
      cameFrom.set(dependency, id);
      open.push(dependency);
    }
  }
  for (let at = open.pop(); at !== undefined; at = open.pop()) {
    const task = live.get(at);
    if (task === undefined) continue;
    for (const next of task.dependencies) {
      if (next === id) return pathTo(at, id, cameFrom);
      if (cameFrom.has(next)) continue;
      cameFrom.set(next, at);
      open.push(next);
    }
  }
  return null;
}

function pathTo(last: TaskId, id: TaskId, cameFrom: ReadonlyMap<TaskId, TaskId>): TaskId[] {
  const backwards: TaskId[] = [id, last];
  for (let at = cameFrom.get(last); at !== undefined && at !== id; at = cameFrom.get(at)) backwards.push(at);
  backwards.push(id);
  const path = backwards.reverse();
  if (path.length <= PATH_LENGTH_MAX) return path;
  return [...path.slice(0, PATH_LENGTH_MAX / 2), ...path.slice(-PATH_LENGTH_MAX / 2)];
}
