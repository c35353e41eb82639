/** Creates a stream beside the log: stored like it, with one message a subject. */
import {
  type DiscardPolicy,
  type JetStreamManager,
  RetentionPolicy,
  type StreamConfig,
} from "@nats-io/jetstream";
import { apiCode } from "@weft/transport";

/** A chunk, with room for what goes with it. */
const MESSAGE_BYTES_MAX = 1024 * 1024;
const STREAM_NAME_IN_USE = 10058;
const STREAM_NOT_FOUND = 10059;

export type LogConfig = Pick<StreamConfig, "storage" | "num_replicas" | "max_bytes">;

export type SideStream = {
  readonly name: string;
  /** The subjects that it captures. */
  readonly subjects: string;
  readonly discard: DiscardPolicy;
  /** @default no limit */
  readonly bytesMax?: number;
};

/** Idempotent: one that is there is left as it is. */
export async function createSideStream(
  jsm: JetStreamManager,
  log: LogConfig,
  { name, subjects, discard, bytesMax }: SideStream,
): Promise<void> {
  try {
    await jsm.streams.info(name);
    return;
  } catch (error) {
    if (apiCode(error) !== STREAM_NOT_FOUND) throw error;
  }
  try {
    await jsm.streams.add({
      name,
      subjects: [subjects],
      storage: log.storage,
      num_replicas: log.num_replicas,
      retention: RetentionPolicy.Limits,
      discard,
      ...(bytesMax === undefined ? {} : { max_bytes: bytesMax }),
      max_msgs_per_subject: 1,
      max_msg_size: MESSAGE_BYTES_MAX,
      duplicate_window: 100_000_000,
      allow_direct: true,
      allow_rollup_hdrs: false,
      metadata: { "weft.format": "1" },
    });
  } catch (error) {
    // Somebody else made it in between: theirs is as good as ours.
    if (apiCode(error) !== STREAM_NAME_IN_USE) throw error;
  }
}
