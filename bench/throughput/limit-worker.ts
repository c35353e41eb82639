/** The worker process of the limit: finishes what it is assigned, a record for each message. */
import { decodeValue, decodeWorkerMessage, encodeRecord, encodeValue } from "@weft/protocol";
import { serve, serverOfRun } from "../child-service.ts";
import { connectBare, LOG_FINISH, TO_WORKER } from "../latency/limit-wire.ts";
import { finishOf, INSTANCE } from "./limit-wire.ts";

const nats = await connectBare(serverOfRun(), "worker");
let number = 0;
nats.subscribe(TO_WORKER, {
  callback: (error, { data }) => {
    const read = error === null ? decodeWorkerMessage(data) : null;
    if (read?.ok !== true) return;
    const finishes = read.value.assignments.map(({ id, args }) =>
      finishOf(id, encodeValue(String(decodeValue(args)).length, "a result")),
    );
    const record = encodeRecord({ type: "finish", instance: INSTANCE, number: ++number, finishes });
    nats.publish(LOG_FINISH, record, { reply: "_I.limit.worker.acks" });
  },
});
serve({}, () => nats.close());
