/** The worker process of pg-boss: it fetches many jobs at once, and goes on at once while there are more. */
import { serve, serverOfRun } from "../child-service.ts";
import { openOutcomes } from "../rivals/outcome-channel.ts";
import { openBoss, QUEUE } from "./pg-boss-queue.ts";

const BATCH = 1_000;
/** The least that it takes; a notification that comes while it fetches wakes nobody. */
const POLL_SECONDS = 0.5;

const server = serverOfRun();
const boss = await openBoss(server);
const outcomes = await openOutcomes(server);
type Data = { readonly index: number; readonly argument: string };
await boss.work<Data>(
  QUEUE,
  {
    batchSize: BATCH,
    burstWhenBatchFull: true,
    localConcurrency: 2,
    pollingIntervalSeconds: POLL_SECONDS,
    notifyPollingIntervalSeconds: POLL_SECONDS,
  },
  async (jobs) => {
    // It tells nobody when it has recorded the end of a job, so this is just before.
    for (const { data } of jobs) {
      if (data.argument.length === 0) throw new Error("the argument is lost");
      outcomes.tell(data.index);
    }
  },
);

serve({}, async () => {
  await boss.stop({ graceful: false });
  await outcomes.close();
});
