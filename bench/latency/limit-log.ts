/** The log of the limit's coordinators: the stream as Weft makes its own, and a consumer as Weft has one. */
import {
  AckPolicy,
  DeliverPolicy,
  DiscardPolicy,
  jetstreamManager,
  RetentionPolicy,
  StorageType,
} from "@nats-io/jetstream";
import type { Msg, NatsConnection } from "@nats-io/transport-node";
import { LOG, STREAM } from "./limit-wire.ts";

const SECOND_NS = 1_000_000_000;

/** Calls back with what the log delivers. */
export async function followLog(nats: NatsConnection, onRecord: (record: Msg) => void): Promise<void> {
  const jsm = await jetstreamManager(nats);
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
      if (error !== null) return;
      if (message.headers?.code !== 100) onRecord(message);
      // A heartbeat; with a reply subject, a question of the flow control.
      else if (message.reply !== undefined && message.reply !== "") message.respond();
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
}
