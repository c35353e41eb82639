/**
 * The attempts that a worker holds: queued, running, or waiting for the log to acknowledge their finish. Pure.
 *
 * A1 At most `slots` attempts run at once.
 * A2 At most `credits` attempts are held; what exceeds them is refused (I5).
 * A3 An attempt is held until its finish is acknowledged, so its worker claims it until then.
 * A4 Of one task the newest attempt is held; an older one is dropped, its finish would be void.
 */
import type { Assignment, AttemptRef, TaskId } from "@weft/protocol";

export type HeldState = "queued" | "running" | "finishing";
export type Held = { readonly assignment: Assignment; state: HeldState };

export type AssignAnswer = "queued" | "known" | "refused";

export class Attempts {
  readonly slots: number;
  readonly credits: number;
  private readonly byTask = new Map<TaskId, Held>();
  private queue: Assignment[] = [];
  private next = 0;
  private runningCount = 0;

  constructor(slots: number, credits: number) {
    this.slots = slots;
    this.credits = credits;
  }

  get running(): number {
    return this.runningCount;
  }

  get size(): number {
    return this.byTask.size;
  }

  held(): AttemptRef[] {
    return [...this.byTask.values()].map(({ assignment }) => ({
      id: assignment.id,
      attempt: assignment.attempt,
    }));
  }

  stateOf(id: TaskId, attempt: number): HeldState | null {
    const held = this.byTask.get(id);
    return held?.assignment.attempt === attempt ? held.state : null;
  }

  assign(assignment: Assignment): AssignAnswer {
    const held = this.byTask.get(assignment.id);
    if (held !== undefined) {
      if (held.assignment.attempt >= assignment.attempt) return "known";
      this.drop(assignment.id, held.assignment.attempt);
    }
    if (this.byTask.size >= this.credits) return "refused";
    this.byTask.set(assignment.id, { assignment, state: "queued" });
    this.queue.push(assignment);
    return "queued";
  }

  /** The next attempt to run, which is running from now on; null where nothing is queued or no slot is free. */
  start(): Assignment | null {
    while (this.runningCount < this.slots && this.next < this.queue.length) {
      const assignment = this.queue[this.next++];
      if (this.next > 1_000 && this.next * 2 > this.queue.length) {
        this.queue = this.queue.slice(this.next);
        this.next = 0;
      }
      if (assignment === undefined || this.stateOf(assignment.id, assignment.attempt) !== "queued") continue;
      const held = this.byTask.get(assignment.id);
      if (held?.assignment !== assignment) continue;
      held.state = "running";
      this.runningCount++;
      return assignment;
    }
    return null;
  }

  /** Its code has ended, or never will begin: its finish is on its way. False where it is not held any more. */
  finishing(id: TaskId, attempt: number): boolean {
    const held = this.byTask.get(id);
    if (held === undefined || held.assignment.attempt !== attempt || held.state === "finishing") return false;
    if (held.state === "running") this.runningCount--;
    held.state = "finishing";
    return true;
  }

  /** The log has its finish. */
  appended(id: TaskId, attempt: number): void {
    if (this.stateOf(id, attempt) === "finishing") this.byTask.delete(id);
  }

  /** It is not this worker's any more. */
  drop(id: TaskId, attempt: number): void {
    const held = this.byTask.get(id);
    if (held === undefined || held.assignment.attempt !== attempt) return;
    if (held.state === "running") this.runningCount--;
    this.byTask.delete(id);
  }

  /** Attempts that have not begun. */
  queued(): Assignment[] {
    return [...this.byTask.values()].filter((held) => held.state === "queued").map((held) => held.assignment);
  }
}
