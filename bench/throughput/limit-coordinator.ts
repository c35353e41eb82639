/** The coordinator process of the limit: makes assignments of what is submitted, and outcomes of what is finished. */
import { decodeRecord, encodeClientMessage, encodeWorkerMessage } from "@weft/protocol";
import { serve, serverOfRun } from "../child-service.ts";
import { followLog } from "../latency/limit-log.ts";
import { connectBare, LOG_SUBMIT, TO_CLIENT, TO_WORKER } from "../latency/limit-wire.ts";
import { assignmentOf, settledOf } from "./limit-wire.ts";

const nats = await connectBare(serverOfRun(), "coordinator");
let number = 0;
await followLog(nats, ({ subject, data }) => {
  const read = decodeRecord(subject === LOG_SUBMIT ? "submit" : "finish", data);
  if (!read.ok) throw new Error(`a record of the limit is void: ${read.kind}`);
  const record = read.value;
  number++;
  if (record.type === "submit") {
    const assignments = record.tasks.map(({ id, args }) => assignmentOf(id, args));
    nats.publish(TO_WORKER, encodeWorkerMessage({ epoch: 1, number, assignments, cancels: [], aborts: [] }));
  } else if (record.type === "finish") {
    const settled = record.finishes.map(settledOf);
    nats.publish(TO_CLIENT, encodeClientMessage({ epoch: 1, number, settled }));
  }
});
serve({}, () => nats.close());
