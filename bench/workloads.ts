/** All workloads, in the order in which they run. */
import { latency } from "./latency/latency.ts";
import { memory } from "./memory/memory.ts";
import { recovery } from "./recovery/recovery.ts";
import { throughput } from "./throughput/throughput.ts";
import type { Workload } from "./workload.ts";

export const workloads: readonly Workload[] = [throughput, latency, recovery, memory];
