/** The inside of the thread that answers probes. */
import { workerData } from "node:worker_threads";
import { encodeProbeAnswer } from "@weft/protocol";
import { connectForever } from "@weft/transport";
import { readBegun } from "./begun-table.ts";
import type { LivenessData } from "./liveness.ts";

const NANOS_PER_MS = 1_000_000n;

const { servers, nats: options, subject, turnedAtNs, begun } = workerData as LivenessData;
// In the order given: another server than the worker's own connection uses, where there is one.
const nats = await connectForever(servers, { noRandomize: true, ...options });
nats.subscribe(subject, {
  callback: (error, message) => {
    if (error !== null) return;
    const blockedNs = process.hrtime.bigint() - Atomics.load(turnedAtNs, 0);
    const blockedMs = Math.max(0, Number(blockedNs / NANOS_PER_MS));
    message.respond(encodeProbeAnswer({ blockedMs, begun: readBegun(begun) }));
  },
});
