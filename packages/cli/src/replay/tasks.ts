/**
 * The tasks that a replay runs in place of the recorded ones. `weft replay` has a worker of its own for them; to replay on
 * the workers of a cluster, export them from a task file, as docs/cli.md tells.
 */
import { setTimeout as pause } from "node:timers/promises";
import { defineTask, type TaskDefinition } from "@weft/worker";

/** Waits for so many milliseconds. */
export const replaySleep: TaskDefinition<"weft-replay-sleep", number, null> = defineTask(
  "weft-replay-sleep",
  async (ms: number, { signal }) => {
    if (ms > 0) await pause(ms, null, { signal });
    return null;
  },
);

/** Keeps a core busy for so many milliseconds. */
export const replaySpin: TaskDefinition<"weft-replay-spin", number, null> = defineTask(
  "weft-replay-spin",
  { executor: "thread" },
  (ms: number) => {
    const endMs = performance.now() + ms;
    while (performance.now() < endMs);
    return null;
  },
);
