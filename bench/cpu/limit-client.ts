/** The ideal: one process with as many plain threads as there are cores, each with the next piece of work before it asks. */
import { once } from "node:events";
import { availableParallelism } from "node:os";
import { Worker } from "node:worker_threads";
import { serve } from "../child-service.ts";
import { monotonicMs } from "../clock.ts";
import type { CpuLimitContract } from "./contract.ts";
import { hashed } from "./hash.ts";

const AHEAD = 2;
const CALIBRATION_MEGABYTES = 200;

const threads = Array.from(
  { length: availableParallelism() },
  () => new Worker(new URL("./limit-thread.ts", import.meta.url)),
);
await Promise.all(threads.map((thread) => once(thread, "online")));

const contract: CpuLimitContract = {
  megabytesIn(ms) {
    hashed(CALIBRATION_MEGABYTES);
    const beganMs = monotonicMs();
    hashed(CALIBRATION_MEGABYTES);
    const msEach = (monotonicMs() - beganMs) / CALIBRATION_MEGABYTES;
    return Math.max(1, Math.round(ms / msEach));
  },
  async run({ tasks, megabytes }) {
    const over = Promise.withResolvers<void>();
    let given = 0;
    let done = 0;
    const beganMs = monotonicMs();
    for (const thread of threads) {
      const give = (): void => {
        if (given++ < tasks) thread.postMessage(megabytes);
      };
      thread.removeAllListeners("message").on("message", () => {
        if (++done === tasks) over.resolve();
        give();
      });
      for (let ahead = 0; ahead < AHEAD; ahead++) give();
    }
    await over.promise;
    return monotonicMs() - beganMs;
  },
};
serve(contract, () => Promise.all(threads.map((thread) => thread.terminate())));
