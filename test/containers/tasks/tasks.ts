/** Tasks that the containers run. They see nothing of each other but through the cluster. */
import { hostname } from "node:os";
import { defineTask } from "@weft/worker";

export const double = defineTask("double", (value: number) => 2 * value);

/** Says where it runs, and goes on until it is cancelled. */
export const hold = defineTask("hold", async (_input: undefined, ctx) => {
  ctx.progress(0.5, hostname());
  await new Promise((_resolve, reject) => {
    ctx.signal.addEventListener("abort", () => reject(ctx.signal.reason));
  });
});
