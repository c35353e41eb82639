/** The coordinator process of the limit: passes on what the log delivers. */
import { serve, serverOfRun } from "../child-service.ts";
import { followLog } from "./limit-log.ts";
import { connectBare, KIND, LOG_SUBMIT, secondOf, TO_CLIENT, TO_WORKER } from "./limit-wire.ts";

const nats = await connectBare(serverOfRun(), "coordinator");
await followLog(nats, ({ subject, data }) => {
  if (subject === LOG_SUBMIT) return nats.publish(TO_WORKER, data);
  if (data[0] === KIND.first) nats.publish(TO_WORKER, secondOf(data));
  nats.publish(TO_CLIENT, data);
});
serve({}, () => nats.close());
