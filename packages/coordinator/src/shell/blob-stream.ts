/** Creates the stream that large values are kept in: stored like the log, one chunk a message. */
import { DiscardPolicy, type JetStreamManager, RetentionPolicy, type StreamConfig } from "@nats-io/jetstream";
import type { Subjects } from "@weft/protocol";
import { apiCode } from "@weft/transport";

const CHUNK_BYTES_MAX = 1024 * 1024;
const STREAM_NAME_IN_USE = 10058;
const STREAM_NOT_FOUND = 10059;
/** What a stream may take is set aside for it, and this server, or no three of this cluster, has as much. */
const NO_RESOURCES: ReadonlySet<number> = new Set([10005, 10023, 10028, 10047]);
const BYTES_MIN = 64 * 1024 ** 2;

type LogConfig = Pick<StreamConfig, "storage" | "num_replicas" | "max_bytes">;

/** Idempotent: one that is there is left as it is. It may take as much as the log, or as much of that as can be set aside. */
export async function createBlobStream(
  jsm: JetStreamManager,
  subjects: Subjects,
  log: LogConfig,
): Promise<void> {
  try {
    await jsm.streams.info(subjects.blobStream(0));
    return;
  } catch (error) {
    if (apiCode(error) !== STREAM_NOT_FOUND) throw error;
  }
  for (let bytesMax = log.max_bytes; ; bytesMax = Math.floor(bytesMax / 2)) {
    try {
      return await add(jsm, subjects, log, bytesMax);
    } catch (error) {
      // Somebody else made it in between: theirs is as good as ours.
      if (apiCode(error) === STREAM_NAME_IN_USE) return;
      if (!NO_RESOURCES.has(apiCode(error)) || bytesMax < 2 * BYTES_MIN) throw error;
    }
  }
}

async function add(
  jsm: JetStreamManager,
  subjects: Subjects,
  log: LogConfig,
  bytesMax: number,
): Promise<void> {
  await jsm.streams.add({
    name: subjects.blobStream(0),
    subjects: [subjects.blobAll(0)],
    storage: log.storage,
    num_replicas: log.num_replicas,
    retention: RetentionPolicy.Limits,
    // What is stored is never given up for what is new. A chunk that is sent again takes the place of its equal.
    discard: DiscardPolicy.New,
    max_bytes: bytesMax,
    max_msgs_per_subject: 1,
    max_msg_size: CHUNK_BYTES_MAX,
    duplicate_window: 100_000_000,
    allow_direct: true,
    allow_rollup_hdrs: false,
    metadata: { "weft.format": "1" },
  });
}
