/** The inside of a thread: runs one attempt at a time, with the same context as anywhere else. */
import { inspect } from "node:util";
import { parentPort } from "node:worker_threads";
import { DefectError } from "@weft/protocol";
import type { TaskOutlet } from "../context.ts";
import { Cancellation, failedWith, runAttempt } from "../run-attempt.ts";
import { loadTaskFiles, TaskRegistry } from "../task-registry.ts";
import type { FromThread, ThreadProgress, ToThread } from "./thread-messages.ts";

if (parentPort === null) throw new DefectError("the thread executor's main was loaded outside a thread");
const port = parentPort;
const loaded = new Map<string, Promise<TaskRegistry>>();
let cancellation = new Cancellation();
type RunMessage = Extract<ToThread, { type: "run" }>;
let running: RunMessage | null = null;

/** Code that never yields can still report: what comes within this time waits for the next report or the end. */
const REPORT_INTERVAL_MS = 10;

port.on("message", (message: ToThread) => {
  if (message.type === "cancel") {
    if (running?.job === message.job) cancellation.request(running.input, message.reason);
    return;
  }
  running = message;
  cancellation = new Cancellation();
  run(message).catch((error: unknown) => {
    // `run` never rejects; if it did, the thread's end is the attempt's failure.
    throw error;
  });
});

async function run({ job, moduleUrl, input }: RunMessage): Promise<void> {
  let pending: ThreadProgress | null = null;
  let reportedAtMs = Number.NEGATIVE_INFINITY;
  const outlet: TaskOutlet = {
    progress(fraction, message, data) {
      pending = { fraction, message, data };
      const nowMs = performance.now();
      if (nowMs - reportedAtMs < REPORT_INTERVAL_MS) return;
      reportedAtMs = nowMs;
      send({ type: "progress", job, ...pending });
      pending = null;
    },
    log(level, message, data) {
      try {
        send({ type: "log", job, level, message, data });
      } catch {
        // A log takes anything, a thread sends less: what it cannot send is told in words.
        send({ type: "log", job, level, message: String(message), data: inspect(data) });
      }
    },
  };
  const end = await attempt(moduleUrl, input, outlet);
  running = null;
  send({ type: "ended", job, end, progress: pending });
}

async function attempt(
  moduleUrl: string,
  input: RunMessage["input"],
  outlet: TaskOutlet,
): ReturnType<typeof runAttempt> {
  try {
    const task = (await load(moduleUrl)).get(input.name);
    if (task === undefined) throw new DefectError(`${moduleUrl} has no task "${input.name}" in its thread`);
    return await runAttempt(task.definition, input, outlet, cancellation);
  } catch (error) {
    return failedWith(error);
  }
}

function load(moduleUrl: string): Promise<TaskRegistry> {
  let registry = loaded.get(moduleUrl);
  if (registry === undefined) {
    registry = Promise.resolve(new TaskRegistry()).then(async (empty) => {
      await loadTaskFiles(empty, [moduleUrl]);
      return empty;
    });
    loaded.set(moduleUrl, registry);
  }
  return registry;
}

function send(message: FromThread): void {
  port.postMessage(message);
}
