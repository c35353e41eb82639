/**
 * The client process of BullMQ, in its fastest arrangement: jobs are removed when they are done, and outcomes are counted
 * from its stream of events instead of a promise per job.
 */
import { type BulkJobOptions, Queue, QueueEvents } from "bullmq";
import { serve, serverOfRun } from "../child-service.ts";
import { monotonicMs } from "../clock.ts";
import { connectRedis, QUEUE } from "./bullmq-queue.ts";
import { argumentOf, type ClientContract, Stopwatch } from "./contract.ts";

/** Calls that wait for their answer at once: with more it is no faster. */
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
  async run({ count, bytes, perCall }) {
    const argument = argumentOf(bytes);
    const watch = new Stopwatch(count, monotonicMs);
    const run = ++runs;
    settle = (jobId) => watch.settle(Number(jobId.split("-")[1]));
    const add = (first: number, end: number): Promise<unknown> => {
      const jobs: { name: string; data: string; opts: BulkJobOptions }[] = [];
      for (let index = first; index < end; index++) {
        watch.submit(index);
        jobs.push({ name: "noop", data: argument, opts: { jobId: `${run}-${index}` } });
      }
      const [only] = jobs;
      if (jobs.length > 1 || only === undefined) return queue.addBulk(jobs);
      return queue.add(only.name, only.data, only.opts);
    };
    const calls = new Set<Promise<unknown>>();
    for (let first = 0; first < count; first += perCall) {
      const call = add(first, Math.min(count, first + perCall));
      calls.add(call);
      call.then(
        () => calls.delete(call),
        () => undefined,
      );
      if (calls.size >= CALLS_MAX) await Promise.race(calls);
    }
    await Promise.all(calls);
    return watch.result();
  },
};

serve(contract, async () => {
  await events.close();
  await queue.close();
  connection.disconnect();
});
