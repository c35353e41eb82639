/** The worker process of BullMQ, with a concurrency at which it is fastest with no-op jobs. */
import { Worker } from "bullmq";
import { serve, serverOfRun } from "../child-service.ts";
import { connectRedis, QUEUE } from "./bullmq-queue.ts";

const CONCURRENCY = 200;

const worker = new Worker(QUEUE, async ({ data }) => String(data).length, {
  connection: connectRedis(serverOfRun()),
  concurrency: CONCURRENCY,
});
await worker.waitUntilReady();
worker.on("error", (error) => console.error(error));
serve({}, () => worker.close());
