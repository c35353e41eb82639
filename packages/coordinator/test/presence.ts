/** What a worker says of itself, for tests: one slot, two credits, the tasks t0 to t2. */
import { type Presence, TaskName } from "@weft/protocol";

const NAMES: readonly TaskName[] = ["t0", "t1", "t2"].map(TaskName.parse);

export function presenceOf(more: Partial<Presence> = {}): Presence {
  return {
    state: "ready",
    slots: 1,
    credits: 2,
    names: NAMES,
    labels: [],
    host: "here",
    pid: 1,
    startedAtMs: 0,
    held: [],
    running: 0,
    graceMs: 0,
    epoch: 1,
    seen: 0,
    appendedSeq: 0,
    ...more,
  };
}
