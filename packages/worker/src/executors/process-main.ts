/** The inside of a process of the `process` executor. */
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { Socket } from "node:net";
import { Worker } from "node:worker_threads";
import { framesFromInside, InsideReader } from "./frames.ts";
import { Inside } from "./inside.ts";
import { MESSAGES_FD } from "./process-arguments.ts";

/** Where the kernel runs out of memory it ends this process before the worker. */
const OOM_SCORE = "500";

const memoryMb = Number(process.argv[2]) || null;
const ending = ["SIGTERM", "SIGINT", "SIGHUP"] as const;
// A service manager signals all processes of a service: it is the worker that drains, and ends this one in the end.
for (const signal of ending) process.on(signal, () => undefined);
try {
  writeFileSync("/proc/self/oom_score_adj", OOM_SCORE);
} catch {
  // Not Linux.
}

const guardFile = new URL(
  `./process-guard-main${import.meta.url.endsWith(".ts") ? ".ts" : ".js"}`,
  import.meta.url,
);
const guard = new Worker(guardFile, { workerData: { memoryMb }, execArgv: [] });
// Nothing runs here that would outlive the worker.
await once(guard, "message");
guard.unref();

const messages = new Socket({ fd: MESSAGES_FD, readable: true, writable: true });
const reader = new InsideReader();
const inside = new Inside(
  (message) => {
    for (const frame of framesFromInside(message)) messages.write(frame);
  },
  () => false,
);
process.on("uncaughtExceptionMonitor", (error: unknown) => inside.uncaught(error));
// The worker is gone; the guard ends this process.
messages.on("error", () => undefined);
messages.on("data", (chunk: Uint8Array) => {
  for (const message of reader.read(chunk)) inside.receive(message);
});
