/** The coordinator process of the limit: makes assignments of what is submitted, and outcomes of what is finished. */
import {
  type Assignment,
  decodeRecord,
  encodeClientMessage,
  encodeWorkerMessage,
  type SettledTask,
} from "@weft/protocol";
import { serve, serverOfRun } from "../child-service.ts";
import { followLog } from "../latency/limit-log.ts";
import { connectBare, LOG_SUBMIT, TO_CLIENT, TO_WORKER } from "../latency/limit-wire.ts";
import { Gather } from "./limit-gather.ts";
import { assignmentOf, settledOf, TASK_BYTES } from "./limit-wire.ts";

const nats = await connectBare(serverOfRun(), "coordinator");
let number = 0;
const toWorker = new Gather<Assignment>({
  bytesOf: ({ args }) => args.length + TASK_BYTES,
  send: (assignments) =>
    nats.publish(
      TO_WORKER,
      encodeWorkerMessage({ epoch: 1, number: ++number, assignments, cancels: [], aborts: [] }),
    ),
});
const toClient = new Gather<SettledTask>({
  bytesOf: ({ value }) => (value?.length ?? 0) + TASK_BYTES,
  send: (settled) => nats.publish(TO_CLIENT, encodeClientMessage({ epoch: 1, number: ++number, settled })),
});
await followLog(nats, ({ subject, data }) => {
  const read = decodeRecord(subject === LOG_SUBMIT ? "submit" : "finish", data);
  if (!read.ok) throw new Error(`a record of the limit is void: ${read.kind}`);
  const record = read.value;
  if (record.type === "submit") toWorker.add(record.tasks.map(({ id, args }) => assignmentOf(id, args)));
  else if (record.type === "finish") toClient.add(record.finishes.map(settledOf));
});
serve({}, () => nats.close());
