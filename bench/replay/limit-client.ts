/** The limit: one process that runs the graph itself, with the same timers and no cluster. */
import { setTimeout as pause } from "node:timers/promises";
import { serve } from "../child-service.ts";
import { monotonicMs } from "../clock.ts";
import type { ReplayClientContract } from "./contract.ts";

const contract: ReplayClientContract = {
  async run({ tasks }) {
    const beganMs = monotonicMs();
    const ends: Promise<void>[] = [];
    for (const { runMs, parents } of tasks) {
      const before = Promise.all(parents.map((parent) => ends[parent]));
      ends.push(
        before.then(async () => {
          if (runMs > 0) await pause(runMs);
        }),
      );
    }
    await Promise.all(ends);
    return monotonicMs() - beganMs;
  },
};
serve(contract, async () => undefined);
