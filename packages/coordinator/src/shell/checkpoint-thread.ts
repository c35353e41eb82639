/** Runs the writing of a checkpoint in a thread of its own, over a connection of its own. */
import { Worker as Thread } from "node:worker_threads";
import type { NodeConnectionOptions } from "@nats-io/transport-node";
import { CheckpointFailedError, type Identity, type Namespace } from "@weft/protocol";

/** Makes sure that there is a checkpoint with this record; rejects where there is none afterwards. */
export type CheckpointRunner = (seq: number) => Promise<void>;

/** What the thread is given. */
export type CheckpointData = {
  readonly servers: readonly string[];
  readonly nats: NodeConnectionOptions;
  readonly namespace: Namespace;
  readonly identity: Identity;
  readonly seq: number;
};

/** What the thread says: lines for the log, then how it ended. */
export type CheckpointNote =
  | { readonly type: "log"; readonly line: string }
  | { readonly type: "done" }
  | { readonly type: "failed"; readonly message: string };

export function threadRunner(
  data: Omit<CheckpointData, "seq">,
  log: (line: string) => void,
): CheckpointRunner {
  return (seq) => runThread({ ...data, seq }, log);
}

async function runThread(data: CheckpointData, log: (line: string) => void): Promise<void> {
  const suffix = import.meta.url.endsWith(".ts") ? ".ts" : ".js";
  const main = new URL(`./checkpoint-main${suffix}`, import.meta.url);
  const ended = Promise.withResolvers<void>();
  // Functions, such as an authenticator, cannot be handed to a thread: that throws here.
  const thread = new Thread(main, { workerData: data });
  thread.unref();
  thread.on("message", (note: CheckpointNote) => {
    if (note.type === "log") log(note.line);
    else if (note.type === "done") ended.resolve();
    else ended.reject(new CheckpointFailedError(note.message));
  });
  thread.on("error", (error) => ended.reject(new CheckpointFailedError(String(error))));
  thread.on("exit", (code) => ended.reject(new CheckpointFailedError(`its thread ended with code ${code}`)));
  try {
    await ended.promise;
  } finally {
    await thread.terminate();
  }
}
