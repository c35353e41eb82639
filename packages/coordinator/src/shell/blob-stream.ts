/** Creates the stream that large values are kept in: one chunk a message. */
import { DiscardPolicy, type JetStreamManager } from "@nats-io/jetstream";
import type { Subjects } from "@weft/protocol";
import { apiCode } from "@weft/transport";
import { createSideStream, type LogConfig } from "./side-stream.ts";

/** What a stream may take is set aside for it, and this server, or no three of this cluster, has as much. */
const NO_RESOURCES: ReadonlySet<number> = new Set([10005, 10023, 10028, 10047]);
const BYTES_MIN = 64 * 1024 ** 2;

/** It may take as much as the log, or as much of that as can be set aside. */
export async function createBlobStream(
  jsm: JetStreamManager,
  subjects: Subjects,
  log: LogConfig,
): Promise<void> {
  for (let bytesMax = log.max_bytes; ; bytesMax = Math.floor(bytesMax / 2)) {
    try {
      return await createSideStream(jsm, log, {
        name: subjects.blobStream(0),
        subjects: subjects.blobAll(0),
        // What is stored is never given up for what is new. A chunk that is sent again takes the place of its equal.
        discard: DiscardPolicy.New,
        bytesMax,
      });
    } catch (error) {
      if (!NO_RESOURCES.has(apiCode(error)) || bytesMax < 2 * BYTES_MIN) throw error;
    }
  }
}
