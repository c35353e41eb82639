/** The worker process of BullMQ. */
import { setTimeout as pause } from "node:timers/promises";
import { Worker } from "bullmq";
import { serve, serverOfRun } from "../child-service.ts";
import { monotonicMs } from "../clock.ts";
import { connectRedis, QUEUE } from "../throughput/bullmq-queue.ts";
import { GO_ON_MS, type WorkerContract, type WorkerMoment, type WorkerSight } from "./contract.ts";

const seen: WorkerSight[] = [];

function note(index: number, moment: WorkerMoment): void {
  seen.push({ index, moment, atMs: monotonicMs() });
}

const worker = new Worker<number, number>(
  QUEUE,
  async (job) => {
    const { name, data: index } = job;
    if (name === "first") note(index, "first_ended");
    if (name === "second") note(index, "second_started");
    if (name === "progress") {
      note(index, "reported");
      await job.updateProgress(0.5);
      await pause(GO_ON_MS);
    }
    return index;
  },
  { connection: connectRedis(serverOfRun()) },
);
await worker.waitUntilReady();
worker.on("error", (error) => console.error(error));
const contract: WorkerContract = { take: () => seen.splice(0) };
serve(contract, () => worker.close());
