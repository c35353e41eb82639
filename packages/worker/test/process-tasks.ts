/** What users' code may do in a process of its own, good and bad. Loaded by the processes themselves. */
import { spawn } from "node:child_process";
import { closeSync, writeSync } from "node:fs";
import { Socket } from "node:net";
import { defineTask, reportProgress } from "../src/index.ts";
import * as threaded from "./thread-tasks.ts";

const inProcess = { executor: "process" } as const;
const never = (): Promise<never> => new Promise(() => undefined);
function spin(): never {
  for (;;);
}

export const identify = defineTask("identify", inProcess, () => process.pid);
export const small = defineTask("small", { executor: "process", memoryMb: 64 }, () => process.pid);
export const echo = defineTask("echo", inProcess, (input: unknown) => input);
export const facts = defineTask("facts", inProcess, threaded.facts.handler);
export const throws = defineTask("throws", inProcess, threaded.throws.handler);
export const throwsClass = defineTask("throws-class", inProcess, threaded.throwsClass.handler);
export const returnsTooMuch = defineTask("returns-too-much", inProcess, threaded.returnsTooMuch.handler);
export const waits = defineTask("waits", inProcess, threaded.waits.handler);
export const reportsBelow = defineTask("reports-below", inProcess, threaded.reportsBelow.handler);
export const reportsAtOnce = defineTask("reports-at-once", inProcess, threaded.reportsAtOnce.handler);
export const logsOdd = defineTask("logs-odd", inProcess, threaded.logsOdd.handler);
export const throwsLater = defineTask("throws-later", inProcess, threaded.throwsLater.handler);
export const rejectsUnheard = defineTask("rejects-unheard", inProcess, threaded.rejectsUnheard.handler);
export const outlives = defineTask("outlives", inProcess, (_input: undefined, ctx) => {
  setImmediate(() => ctx.progress(0.9, "too late"));
  return process.pid;
});

/** Says that it runs, and never stops, nor lets anything else of its process run. */
export const blocks = defineTask("blocks", inProcess, () => {
  reportProgress(0.5, String(process.pid));
  spin();
});

export const exits = defineTask("exits", inProcess, (code: number) => process.exit(code));
export const complains = defineTask("complains", inProcess, () => {
  process.stderr.write("a first line\nthe last word\n");
  process.exit(3);
});
export const killsItself = defineTask("kills-itself", inProcess, (signal: NodeJS.Signals) => {
  process.kill(process.pid, signal);
  return never();
});
export const aborts = defineTask("aborts", inProcess, () => process.abort());
export const eatsHeap = defineTask("eats-heap", { executor: "process", memoryMb: 32 }, () => {
  const kept: unknown[] = [];
  for (;;) kept.push({ number: kept.length, more: { kept: true } });
});
/** In one piece, which a thread's limit does not hold. */
export const eatsAtOnce = defineTask(
  "eats-at-once",
  { executor: "process", memoryMb: 32 },
  () => Array.from({ length: 50_000_000 }, (_, i) => i).length,
);
/** Not of the heap. */
export const eatsBuffers = defineTask("eats-buffers", { executor: "process", memoryMb: 32 }, () => {
  const kept: Buffer[] = [];
  for (;;) kept.push(Buffer.alloc(1024 * 1024, 1));
});

export const writesJunk = defineTask("writes-junk", inProcess, (junk: string) => {
  writeSync(3, junk);
  return never();
});
export const writesFrame = defineTask("writes-frame", inProcess, (head: unknown) => {
  const text = JSON.stringify(head);
  const frame = Buffer.alloc(8 + text.length);
  frame.writeUInt32BE(frame.length, 0);
  frame.writeUInt32BE(text.length, 4);
  frame.write(text, 8);
  writeSync(3, frame);
  return never();
});
export const closesChannel = defineTask("closes-channel", inProcess, () => {
  closeSync(3);
  return "closed";
});
export const listensToSignals = defineTask("listens-to-signals", inProcess, async () => {
  for (const signal of ["SIGTERM", "SIGINT", "SIGHUP"] as const) process.kill(process.pid, signal);
  await new Promise((done) => setTimeout(done, 50));
  return "lived";
});

export const writes = defineTask("writes", inProcess, async () => {
  console.log("to the log");
  console.error("an error");
  process.stdout.write("x".repeat(10_000));
  process.stdout.write("\nlast");
  // What is left without an end of line is told when the process ends.
  await new Promise((done) => process.stdout.write("", done));
});

/** A child of its own, which would go on for ever. */
export const hasChild = defineTask("has-child", inProcess, () => {
  const child = spawn(process.execPath, ["-e", "setInterval(() => undefined, 1000)"], { stdio: "inherit" });
  reportProgress(0.5, String(child.pid));
  return never();
});
/** Sockets that it forgets keep its event loop turning, and nothing else. */
export const leaks = defineTask("leaks", inProcess, () => {
  new Socket();
  setInterval(() => undefined, 1_000);
  return "leaked";
});
