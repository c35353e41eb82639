/** Tasks that the containers run. They see nothing of each other but through the cluster. */
import { writeFileSync } from "node:fs";
import { hostname, tmpdir } from "node:os";
import { join } from "node:path";
import { defineTask } from "@weft/worker";

export const double = defineTask("double", (value: number) => 2 * value);

/** Says where it runs. Its first attempt ends only by a cancel, the next one at once, with the name of where it ran. */
export const stuckOnce = defineTask("stuck-once", async (_input: undefined, ctx) => {
  ctx.progress(0.5, hostname());
  if (ctx.attempt > 1) return hostname();
  return new Promise<string>((_resolve, reject) => {
    ctx.signal.addEventListener("abort", () => reject(ctx.signal.reason));
  });
});

/** What code may do where it runs. */
export const surroundings = defineTask("surroundings", { executor: "thread" }, () => ({
  user: process.getuid?.(),
  ownFolder: tryToWriteIn(import.meta.dirname),
  root: tryToWriteIn("/"),
  temporary: tryToWriteIn(tmpdir()),
}));

function tryToWriteIn(folder: string): string {
  try {
    writeFileSync(join(folder, "written-by-a-task"), "");
    return "written";
  } catch (error) {
    return String((error as NodeJS.ErrnoException).code);
  }
}
