/** The task of a long run, inline: it returns nothing, as most do. */
import { defineTask, type TaskDefinition } from "@weft/worker";

export const noop: TaskDefinition<"noop", string, null> = defineTask("noop", (_argument: string) => null);
