/** The client process of BullMQ: it learns of everything from its stream of events. */
import { FlowProducer, Queue, QueueEvents } from "bullmq";
import { serve, serverOfRun } from "../child-service.ts";
import { monotonicMs } from "../clock.ts";
import { connectRedis, QUEUE } from "../throughput/bullmq-queue.ts";
import type { ClientContract, ClientSight, Order, Run } from "./contract.ts";

const connection = connectRedis(serverOfRun());
const queue = new Queue(QUEUE, { connection });
const flows = new FlowProducer({ connection });
const events = new QueueEvents(QUEUE, { connection });
await events.waitUntilReady();

let progressMs: number | null = null;
let awaited = "";
let onCompleted: (atMs: number) => void = () => undefined;
events.on("completed", ({ jobId }) => {
  if (jobId === awaited) onCompleted(monotonicMs());
});
events.on("progress", () => {
  progressMs ??= monotonicMs();
});

/** The last job of a run has the given id, so that its end may come before the answer to the call. */
async function submit(run: Run, index: number, jobId: string): Promise<void> {
  const opts = { removeOnComplete: true };
  if (run !== "handoff") {
    await queue.add(run, index, { ...opts, jobId });
    return;
  }
  const first = { name: "first", queueName: QUEUE, data: index, opts };
  await flows.add({
    name: "second",
    queueName: QUEUE,
    data: index,
    opts: { ...opts, jobId },
    children: [first],
  });
}

async function sightOf(run: Run, index: number): Promise<ClientSight> {
  progressMs = null;
  awaited = `${run}-${index}`;
  const completed = new Promise<number>((resolve) => {
    onCompleted = resolve;
  });
  const submittedMs = monotonicMs();
  const [completedMs] = await Promise.all([completed, submit(run, index, awaited)]);
  return { index, key: awaited, submittedMs, completedMs, resultMs: completedMs, progressMs };
}

const contract: ClientContract = {
  async run({ run, first, count }: Order) {
    const sights: ClientSight[] = [];
    for (let index = first; index < first + count; index++) sights.push(await sightOf(run, index));
    return sights;
  },
};

serve(contract, async () => {
  await events.close();
  await flows.close();
  await queue.close();
  connection.disconnect();
});
