/** The inside of the thread that answers probes. */
import { writeSync } from "node:fs";
import { setTimeout as pause } from "node:timers/promises";
import { workerData } from "node:worker_threads";
import { encodeProbeAnswer } from "@weft/protocol";
import { connectForever } from "@weft/transport";
import { listed, readBegun, untilLimited } from "./begun-table.ts";
import { BlockLimit } from "./block-limit.ts";
import { type LivenessData, REST_NS, TURNED_AT_NS } from "./liveness.ts";

const NANOS_PER_MS = 1_000_000n;
/** It counts up to five seconds beyond a limit. */
const STEP_MS = 1_000;
const STDERR_FD = 2;

const { servers, nats: options, subject, name, turns, begun } = workerData as LivenessData;
const limit = new BlockLimit(process.hrtime.bigint());

function look(): void {
  const overdue = limit.step(process.hrtime.bigint(), Atomics.load(turns, TURNED_AT_NS), listed(begun));
  if (overdue === null) return;
  const { id, attempt } = overdue;
  try {
    // The log of the process is written by its main thread.
    writeSync(
      STDERR_FD,
      `${name}: the code of task ${id}, attempt ${attempt}, blocks the event loop beyond its time-out: this process is killed\n`,
    );
  } finally {
    process.kill(process.pid, "SIGKILL");
  }
}

/** Where no code has a limit there is nothing to look for, and the thread of an idle worker sleeps. */
async function watch(): Promise<never> {
  for (;;) {
    await untilLimited(begun);
    look();
    await pause(STEP_MS);
  }
}

void watch();

// In the order given: another server than the worker's own connection uses, where there is one.
const nats = await connectForever(servers, { noRandomize: true, ...options });
nats.subscribe(subject, {
  callback: (error, message) => {
    if (error !== null) return;
    const restedNs = Atomics.load(turns, TURNED_AT_NS) + Atomics.load(turns, REST_NS);
    const blockedNs = process.hrtime.bigint() - restedNs;
    const blockedMs = Math.max(0, Number(blockedNs / NANOS_PER_MS));
    message.respond(encodeProbeAnswer({ blockedMs, begun: readBegun(begun) }));
  },
});
