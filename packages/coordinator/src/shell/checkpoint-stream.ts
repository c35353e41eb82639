/** Creates the stream that checkpoints are kept in: one chunk a message, the newest counts. */
import { DiscardPolicy, type JetStreamManager } from "@nats-io/jetstream";
import type { Subjects } from "@weft/protocol";
import { createSideStream, type LogConfig } from "./side-stream.ts";

export async function createCheckpointStream(
  jsm: JetStreamManager,
  subjects: Subjects,
  log: LogConfig,
): Promise<void> {
  await createSideStream(jsm, log, {
    name: subjects.checkpointStream(0),
    subjects: subjects.checkpointAll(0),
    discard: DiscardPolicy.Old,
  });
}
