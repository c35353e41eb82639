/** What users' code may do in a thread, good and bad. Loaded by the threads themselves. */
import { parentPort, threadId } from "node:worker_threads";
import { VALUE_BYTES_MAX } from "@weft/protocol";
import { currentTask, defineTask, reportProgress } from "../src/index.ts";

const inThread = { executor: "thread" } as const;

export const identify = defineTask("identify", inThread, () => threadId);
export const echo = defineTask("echo", inThread, (input: unknown) => input);
export const bufferBytes = defineTask(
  "buffer-bytes",
  inThread,
  (input: Uint8Array) => input.buffer.byteLength,
);
export const facts = defineTask("facts", inThread, (_input: undefined, ctx) => [
  ctx.id,
  ctx.name,
  ctx.attempt,
  ctx.deps,
  currentTask() === ctx,
]);

export const throws = defineTask("throws", inThread, (what: string): never => {
  const thrown: Readonly<Record<string, unknown>> = {
    text: "just text",
    nothing: undefined,
    symbol: Symbol("mine"),
    function: () => 1,
    object: { code: 7, nested: { run: () => 1 } },
  };
  throw thrown[what];
});
class QuotaError extends RangeError {
  override readonly name = "QuotaError";
  readonly limit = 7;
  readonly retryAfter = () => 1;
}
export const throwsClass = defineTask("throws-class", inThread, async () => {
  await Promise.resolve();
  throw new QuotaError("over", { cause: new TypeError("inner", { cause: "a text" }) });
});

export const returnsFunction = defineTask("returns-function", inThread, () => ({ run: () => 1 }));
export const returnsPromiseInside = defineTask("returns-promise", inThread, () => [Promise.resolve(1)]);
export const returnsTooMuch = defineTask(
  "returns-too-much",
  inThread,
  () => new Uint8Array(VALUE_BYTES_MAX + 1),
);

/** Lets go of its thread only when it ends. */
export const blocks = defineTask("blocks", inThread, (ms: number) => {
  for (const untilMs = performance.now() + ms; performance.now() < untilMs; );
});

export const exits = defineTask("exits", inThread, (code: number) => process.exit(code));
export const closesPort = defineTask("closes-port", inThread, () => {
  parentPort?.close();
  return new Promise(() => undefined);
});
export const throwsLater = defineTask("throws-later", inThread, () => {
  setImmediate(() => {
    throw new Error("out of a timer");
  });
  return new Promise(() => undefined);
});
export const rejectsUnheard = defineTask("rejects-unheard", inThread, () => {
  void Promise.reject(new Error("nobody listens"));
  return new Promise(() => undefined);
});
export const postsJunk = defineTask("posts-junk", inThread, () => {
  for (const junk of [null, undefined, "text", 5, {}, { type: "ended" }, { type: "ended", job: -1 }, []]) {
    parentPort?.postMessage(junk);
  }
  return "done";
});
export const eatsMemory = defineTask("eats-memory", { executor: "thread", memoryMb: 16 }, () => {
  const kept: unknown[] = [];
  // Small things: a large one that does not fit ends the whole process, which V8 leaves nobody a choice about.
  for (;;) kept.push({ number: kept.length, more: { kept: true } });
});
/** The ways in which memory runs out that V8 itself ends the process over, where four threads go them at once. */
export const eatsNumbers = defineTask("eats-numbers", { executor: "thread", memoryMb: 64 }, () => {
  const kept: number[] = [];
  for (;;) kept.push(kept.length);
});
export const eatsObjects = defineTask("eats-objects", { executor: "thread", memoryMb: 64 }, () => {
  const kept: unknown[] = [];
  for (;;) kept.push({ number: kept.length, more: { kept: true } });
});
/** Has less alive than it may, and makes garbage of things that have grown old. */
export const makesGarbage = defineTask("makes-garbage", { executor: "thread", memoryMb: 64 }, () => {
  const chunk = (): unknown[] =>
    Array.from({ length: 4_000 }, (_, i) => ({ half: i + 0.5, more: { half: i + 0.5 }, list: [i] }));
  const kept = Array.from({ length: 75 }, chunk);
  for (let i = 0; i < 1_500; i++) kept[i % kept.length] = chunk();
  return kept.length;
});
export const small = defineTask("small", { executor: "thread", memoryMb: 32 }, () => threadId);

/** Waits for its cancel, and says when it does. */
export const waits = defineTask("waits", inThread, async (_input: undefined, ctx) => {
  ctx.signal.throwIfAborted();
  await new Promise((_resolve, reject) => {
    ctx.signal.addEventListener("abort", () => reject(ctx.signal.reason));
    ctx.progress(0.5, "waiting");
  });
});

async function below(steps: number): Promise<void> {
  for (let i = 1; i <= steps; i++) {
    await new Promise((done) => setImmediate(done));
    reportProgress(i / steps, `step ${i}`);
  }
}
export const reportsBelow = defineTask("reports-below", inThread, (steps: number) => below(steps));
export const reportsAtOnce = defineTask("reports-at-once", inThread, (steps: number) => {
  for (let i = 1; i <= steps; i++) reportProgress(i / steps);
});
export const reportsWrongly = defineTask("reports-wrongly", inThread, (fraction: number) => {
  reportProgress(fraction);
});
export const reportsOdd = defineTask("reports-odd", inThread, () => {
  reportProgress(0.1, "odd", { run: () => 1, at: new Date(0), list: [1n].map(String) });
  reportProgress(1, "odd", { run: () => 1, at: new Date(0), list: [] });
});
export const logsOdd = defineTask("logs-odd", inThread, (_input: undefined, ctx) => {
  const cycle: { self?: unknown } = {};
  cycle.self = cycle;
  ctx.log.info("plain", { a: 1 });
  ctx.log.warn("a function", { run: () => 1 });
  ctx.log.error("a cycle", cycle);
  ctx.log.debug("a big number", { n: 1n });
  return "done";
});
/** Goes on to report after its end. */
export const outlives = defineTask("outlives", inThread, (_input: undefined, ctx) => {
  setImmediate(() => ctx.progress(0.9, "too late"));
  return threadId;
});
