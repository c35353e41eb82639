/**
 * The client process of BullMQ. Its flows are trees whose leaves run first, so of the graphs a chain is one as it stands, and
 * a fan without its first task. Outcomes are counted from its stream of events.
 */
import { type FlowJob, FlowProducer, Queue, QueueEvents } from "bullmq";
import { serve, serverOfRun } from "../child-service.ts";
import { monotonicMs } from "../clock.ts";
import { connectRedis, QUEUE } from "../throughput/bullmq-queue.ts";
import type { GraphClientContract } from "./contract.ts";
import { type GraphName, graphOf } from "./graph.ts";

/** By default the stream is cut at 10,000, and a client that lags misses outcomes. */
const EVENTS_MAX = 1_000_000;

const connection = connectRedis(serverOfRun());
const queue = new Queue(QUEUE, { connection, streams: { events: { maxLen: EVENTS_MAX } } });
const flows = new FlowProducer({ connection });
const events = new QueueEvents(QUEUE, { connection });
await events.waitUntilReady();
let onCompleted: () => void = () => undefined;
events.on("completed", () => onCompleted());

function jobOf(children: FlowJob[]): FlowJob {
  return { name: "noop", queueName: QUEUE, data: "", opts: { removeOnComplete: true }, children };
}

function flowOf(name: GraphName, count: number): { readonly root: FlowJob; readonly tasks: number } {
  const { length } = graphOf(name, count);
  if (name === "fan") {
    const middle = length - 2;
    return { root: jobOf(Array.from({ length: middle }, () => jobOf([]))), tasks: middle + 1 };
  }
  if (name !== "chain") throw new Error(`BullMQ has no flow that is a graph of the kind ${name}`);
  let root = jobOf([]);
  for (let made = 1; made < length; made++) root = jobOf([root]);
  return { root, tasks: length };
}

const contract: GraphClientContract = {
  async run({ graph, count }) {
    const { root, tasks } = flowOf(graph, count);
    const done = Promise.withResolvers<void>();
    let completed = 0;
    onCompleted = () => {
      if (++completed === tasks) done.resolve();
    };
    const beganMs = monotonicMs();
    await Promise.all([flows.add(root), done.promise]);
    return { tasks, ms: monotonicMs() - beganMs };
  },
};

serve(contract, async () => {
  await events.close();
  await flows.close();
  await queue.close();
  connection.disconnect();
});
