/** The inside of the thread that writes a checkpoint. */
import { parentPort, workerData } from "node:worker_threads";
import { InstanceId, Subjects } from "@weft/protocol";
import { closeConnection, openConnection } from "@weft/transport";
import type { CheckpointData, CheckpointNote } from "./checkpoint-thread.ts";
import { writeCheckpoint } from "./checkpointer.ts";
import { openNamespace } from "./namespace.ts";

const { servers, nats, namespace, identity, seq } = workerData as CheckpointData;
const tell = (note: CheckpointNote): void => parentPort?.postMessage(note);
try {
  const connection = await openConnection(identity, InstanceId.create(), { servers, nats });
  try {
    const config = await openNamespace(connection.nats, namespace);
    const log = (line: string): void => tell({ type: "log", line });
    await writeCheckpoint({ connection, config, subjects: new Subjects(namespace), seq, log });
  } finally {
    await closeConnection(connection);
  }
  tell({ type: "done" });
} catch (error) {
  tell({ type: "failed", message: error instanceof Error ? error.message : String(error) });
}
