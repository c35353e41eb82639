/** The task of Weft, in threads. */
import { defineTask, type TaskDefinition } from "@weft/worker";
import { hashed } from "./hash.ts";

export const hash: TaskDefinition<"hash", number, string> = defineTask(
  "hash",
  { executor: "thread" },
  (megabytes: number) => hashed(megabytes),
);
