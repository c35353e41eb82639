/** The worker process of the limit: appends a finish record for each record that comes. */
import { serve, serverOfRun } from "../child-service.ts";
import { connectBare, LOG_FINISH, TO_WORKER } from "../latency/limit-wire.ts";
import { FINISH_BYTES, headOf, recordOf } from "./limit-wire.ts";

const nats = await connectBare(serverOfRun(), "worker");
nats.subscribe(TO_WORKER, {
  callback: (error, { data }) => {
    if (error !== null) return;
    const { first, count } = headOf(data);
    nats.publish(LOG_FINISH, recordOf(first, count, FINISH_BYTES), { reply: "_I.limit.worker.acks" });
  },
});
serve({}, () => nats.close());
