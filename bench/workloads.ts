/** All workloads, in the order in which they run. */
import { cpu } from "./cpu/cpu.ts";
import { graphs } from "./graphs/graphs.ts";
import { idle } from "./idle/idle.ts";
import { latency } from "./latency/latency.ts";
import { limit } from "./limit/limit.ts";
import { memory } from "./memory/memory.ts";
import { recovery } from "./recovery/recovery.ts";
import { replay } from "./replay/replay.ts";
import { soak } from "./soak/soak.ts";
import { scale } from "./throughput/scale.ts";
import { throughput } from "./throughput/throughput.ts";
import type { Workload } from "./workload.ts";

export const workloads: readonly Workload[] = [
  limit,
  throughput,
  latency,
  scale,
  graphs,
  cpu,
  replay,
  recovery,
  memory,
  idle,
  soak,
];
