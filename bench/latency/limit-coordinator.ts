/** The coordinator process of the limit: passes on what the log delivers. */
import {
  AckPolicy,
  DeliverPolicy,
  DiscardPolicy,
  jetstreamManager,
  RetentionPolicy,
  StorageType,
} from "@nats-io/jetstream";
import type { Msg } from "@nats-io/transport-node";
import { serve, serverOfRun } from "../child-service.ts";
import { connectBare, KIND, LOG, LOG_SUBMIT, STREAM, secondOf, TO_CLIENT, TO_WORKER } from "./limit-wire.ts";

const SECOND_NS = 1_000_000_000;

const nats = await connectBare(serverOfRun(), "coordinator");
const jsm = await jetstreamManager(nats);
// As Weft makes its own log.
await jsm.streams.add({
  name: STREAM,
  subjects: [LOG],
  storage: StorageType.File,
  retention: RetentionPolicy.Limits,
  discard: DiscardPolicy.New,
  num_replicas: 1,
  max_bytes: 10 * 1024 ** 3,
  max_msg_size: 1024 * 1024,
  duplicate_window: SECOND_NS / 10,
  allow_direct: true,
  deny_delete: true,
});
const deliverTo = "_I.limit.coordinator.log";
nats.subscribe(deliverTo, {
  callback: (error, message) => {
    if (error === null) passOn(message);
  },
});
await jsm.consumers.add(STREAM, {
  name: "limit",
  deliver_subject: deliverTo,
  deliver_policy: DeliverPolicy.All,
  ack_policy: AckPolicy.None,
  flow_control: true,
  idle_heartbeat: SECOND_NS,
  mem_storage: true,
  num_replicas: 1,
});
serve({}, () => nats.close());

function passOn(message: Msg): void {
  if (message.headers?.code === 100) {
    // A heartbeat; with a reply subject, a question of the flow control.
    if (message.reply !== undefined && message.reply !== "") message.respond();
    return;
  }
  const { data } = message;
  if (message.subject === LOG_SUBMIT) return nats.publish(TO_WORKER, data);
  if (data[0] === KIND.first) nats.publish(TO_WORKER, secondOf(data));
  nats.publish(TO_CLIENT, data);
}
