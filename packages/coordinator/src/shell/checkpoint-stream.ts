/** Creates the stream that checkpoints are kept in: stored like the log, one message a chunk, the newest counts. */
import { DiscardPolicy, type JetStreamManager, RetentionPolicy, type StreamConfig } from "@nats-io/jetstream";
import type { Subjects } from "@weft/protocol";
import { apiCode } from "@weft/transport";

const CHUNK_BYTES_MAX = 1024 * 1024;
const STREAM_NAME_IN_USE = 10058;
const STREAM_NOT_FOUND = 10059;

/** Idempotent: one that is there is left as it is. */
export async function createCheckpointStream(
  jsm: JetStreamManager,
  subjects: Subjects,
  log: Pick<StreamConfig, "storage" | "num_replicas">,
): Promise<void> {
  const name = subjects.checkpointStream(0);
  try {
    await jsm.streams.info(name);
    return;
  } catch (error) {
    if (apiCode(error) !== STREAM_NOT_FOUND) throw error;
  }
  try {
    await jsm.streams.add({
      name,
      subjects: [subjects.checkpointAll(0)],
      storage: log.storage,
      num_replicas: log.num_replicas,
      retention: RetentionPolicy.Limits,
      discard: DiscardPolicy.Old,
      max_msgs_per_subject: 1,
      max_msg_size: CHUNK_BYTES_MAX,
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
