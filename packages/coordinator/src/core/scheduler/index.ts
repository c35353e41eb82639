export { runsAlone } from "./lone-tasks.ts";
export { type Placement, Scheduler } from "./scheduler.ts";
export { canRun, freeCredits, type Out, type WorkerEntry } from "./worker-entry.ts";
