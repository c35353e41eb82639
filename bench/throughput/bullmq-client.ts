/**
 * The client process of BullMQ, in its fastest arrangement: jobs are removed when they are done, and outcomes are counted
 * from its stream of events instead of a promise per job.
 */
import { type BulkJobOptions, Queue, QueueEvents } from "bullmq";
import { serve, serverOfRun } from "../child-service.ts";
import { monotonicMs } from "../clock.ts";
import { connectRedis, QUEUE } from "./bullmq-queue.ts";
import { submitAll } from "./calls.ts";
import { argumentOf, type ClientContract, Stopwatch } from "./contract.ts";

/** With more it is no faster. */
const CALLS_MAX = 1_000;

const EVENTS_MAX = 1_000_000;

const connection = connectRedis(serverOfRun());
const queue = new Queue(QUEUE, {
  connection,
  defaultJobOptions: { removeOnComplete: true },
  // By default the stream of events is cut at 10,000, and a client that lags misses outcomes.
  streams: { events: { maxLen: EVENTS_MAX } },
});
const events = new QueueEvents(QUEUE, { connection });
await events.waitUntilReady();
let settle: (jobId: string) => void = () => undefined;
events.on("completed", ({ jobId }) => settle(jobId));

let runs = 0;

const contract: ClientContract = {
  async run(order) {
    const argument = argumentOf(order.bytes);
    const watch = new Stopwatch(order.count, monotonicMs);
    const run = ++runs;
    settle = (jobId) => watch.settle(Number(jobId.split("-")[1]));
    const call = (first: number, end: number): Promise<unknown> => {
      const jobs: { name: string; data: string; opts: BulkJobOptions }[] = [];
      for (let index = first; index < end; index++)
        jobs.push({ name: "noop", data: argument, opts: { jobId: `${run}-${index}` } });
      const [only] = jobs;
      if (order.perCall > 1 || only === undefined) return queue.addBulk(jobs);
      return queue.add(only.name, only.data, only.opts);
    };
    await submitAll({ order, watch, callsMax: CALLS_MAX, call });
    return watch.result();
  },
};

serve(contract, async () => {
  await events.close();
  await queue.close();
  connection.disconnect();
});
