export { runsAlone } from "./lone-tasks.ts";
export type { Out } from "./out-list.ts";
export { Scheduler } from "./scheduler.ts";
export { canRun, freeCredits, type WorkerEntry } from "./worker-entry.ts";
