/** The worker process of the limit: appends a finish record for each message that comes. */
import { serve, serverOfRun } from "../child-service.ts";
import { connectBare, LOG_FINISH, TO_WORKER } from "../latency/limit-wire.ts";
import { FINISH_BYTES, messageOf, tasksIn } from "./limit-wire.ts";

const nats = await connectBare(serverOfRun(), "worker");
nats.subscribe(TO_WORKER, {
  callback: (error, { data }) => {
    if (error !== null) return;
    const tasks = tasksIn(data);
    nats.publish(LOG_FINISH, messageOf(tasks, tasks * FINISH_BYTES), { reply: "_I.limit.worker.acks" });
  },
});
serve({}, () => nats.close());
