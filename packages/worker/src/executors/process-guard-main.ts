/**
 * A thread inside each process of the `process` executor, which goes on when code blocks the process. It ends the process,
 * and what the process has started, when the worker is gone, however it went: the kernel closes the worker's end of the
 * lifeline. And it ends it when it takes more memory than its limit, which V8 holds only its heap to.
 */
import { writeSync } from "node:fs";
import { Socket } from "node:net";
import { parentPort, workerData } from "node:worker_threads";
import { LIFELINE_FD, OUT_OF_MEMORY_WORD } from "./process-arguments.ts";

/** Beyond the limit: the young generation, compiled code, threads. */
const SLACK_BYTES = 64 * 1024 * 1024;
const MEASURE_MS = 100;

const { memoryMb } = workerData as { readonly memoryMb: number | null };

function endProcess(): void {
  try {
    process.kill(-process.pid, "SIGKILL");
  } catch {
    process.kill(process.pid, "SIGKILL");
  }
}

const lifeline = new Socket({ fd: LIFELINE_FD, readable: true, writable: false });
lifeline.on("error", endProcess);
lifeline.on("close", endProcess);
lifeline.resume();

if (memoryMb !== null) {
  // What Node takes before any code of a user is loaded is not the task's.
  const bytesMax = process.memoryUsage.rss() + memoryMb * 1024 * 1024 + SLACK_BYTES;
  setInterval(() => {
    if (process.memoryUsage.rss() <= bytesMax) return;
    try {
      writeSync(LIFELINE_FD, OUT_OF_MEMORY_WORD);
    } finally {
      endProcess();
    }
  }, MEASURE_MS);
}

parentPort?.postMessage("ready");
