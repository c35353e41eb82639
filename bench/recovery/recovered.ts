/** The coordinator process that recovers: from its very start until it leads. */
import { Coordinator } from "@weft/coordinator";
import { argumentOfRun, serve, serverOfRun } from "../child-service.ts";
import { monotonicMs } from "../clock.ts";
import type { RecoveredContract } from "./contract.ts";

const startedMs = monotonicMs() - performance.now();
const coordinator = await Coordinator.start({
  servers: serverOfRun(),
  namespace: argumentOfRun(),
  log: console.log,
});
const standingByMs = monotonicMs();
await coordinator.untilLeading();
const leadingMs = monotonicMs();
const { user, system } = process.cpuUsage();
const cpuMs = (user + system) / 1_000;
const contract: RecoveredContract = {
  times: () => ({ startedMs, standingByMs, leadingMs, cpuMs, heapBytes: process.memoryUsage().heapUsed }),
};
serve(contract, () => coordinator.stop());
