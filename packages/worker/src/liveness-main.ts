/** The inside of the thread that answers probes. */
import { workerData } from "node:worker_threads";
import { encodeProbeAnswer } from "@weft/protocol";
import { connectForever } from "@weft/transport";
import type { LivenessData } from "./liveness.ts";

const NANOS_PER_MS = 1_000_000n;

const { servers, nats: options, subject, turnedAtNs } = workerData as LivenessData;
const nats = await connectForever(servers, options);
nats.subscribe(subject, {
  callback: (error, message) => {
    if (error !== null) return;
    const blockedNs = process.hrtime.bigint() - Atomics.load(turnedAtNs, 0);
    message.respond(encodeProbeAnswer({ blockedMs: Number(blockedNs / NANOS_PER_MS) }));
  },
});
