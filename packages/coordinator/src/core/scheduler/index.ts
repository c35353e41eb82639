export { type Orphan, type Placement, Scheduler } from "./scheduler.ts";
export { canRun, freeCredits } from "./worker-entry.ts";
