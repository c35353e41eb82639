export { type Orphan, type Placement, type PresenceFindings, Scheduler } from "./scheduler.ts";
export { canRun, freeCredits, type WorkerEntry } from "./worker-entry.ts";
