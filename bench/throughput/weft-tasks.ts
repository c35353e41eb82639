/** The task that the worker process of Weft runs, inline: the executor is not what is measured. */
import { defineTask, type TaskDefinition } from "@weft/worker";

export const noop: TaskDefinition<"noop", string, number> = defineTask(
  "noop",
  (argument: string) => argument.length,
);
