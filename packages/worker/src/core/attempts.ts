/**
 * The attempts that a worker holds: queued, running, or waiting for the log to acknowledge their finish. Pure.
 *
 * A1 The code of at most `slots` attempts runs at once, that of attempts which are over or another's by now included. Others
 *    may be where their code will run, ahead of a slot: they count as running, and begin as those before them end.
 * A2 At most `credits` attempts are held; what exceeds them is refused (I5).
 * A3 An attempt is held until its finish is acknowledged, so its worker claims it until then.
 * A4 Of one task the newest attempt is held; an older one is dropped, its finish would be void.
 *
 * Whoever runs an attempt has what is held of it at hand: only what others say of it, they say by its id.
 */
import { type Assignment, type AttemptRef, TaskTable } from "@weft/protocol";
import { AttemptQueue, type Held, type HeldState } from "./attempt-queue.ts";

export type { Held, HeldState };
export type AssignAnswer = "queued" | "known" | "refused";

export class Attempts {
  readonly slots: number;
  readonly credits: number;
  private readonly byTask = new TaskTable<Held>();
  private readonly queue = new AttemptQueue();
  private codes = 0;
  private aheadCount = 0;
  private runningCount = 0;

  constructor(slots: number, credits: number) {
    this.slots = slots;
    this.credits = credits;
  }

  /** Slots that are taken. */
  get running(): number {
    return this.codes;
  }

  /** Slots that are taken by code whose attempt is over. */
  get leftBehind(): number {
    return this.codes + this.aheadCount - this.runningCount;
  }

  /** Those that were given ahead of a slot and have not begun. */
  get ahead(): number {
    return this.aheadCount;
  }

  get hasFreeSlot(): boolean {
    return this.codes < this.slots;
  }

  get size(): number {
    return this.byTask.size;
  }

  held(): AttemptRef[] {
    return Array.from(this.byTask, ({ id, assignment: { attempt } }) => ({ id, attempt }));
  }

  /** The one that a word about an attempt is about; null where it is not held. */
  find({ id, attempt }: AttemptRef): Held | null {
    const held = this.byTask.get(id);
    return held?.assignment.attempt === attempt ? held : null;
  }

  assign(assignment: Assignment): AssignAnswer {
    const held = this.byTask.get(assignment.id);
    if (held !== undefined) {
      if (held.assignment.attempt >= assignment.attempt) return "known";
      this.drop(held);
    }
    if (this.byTask.size >= this.credits) return "refused";
    this.byTask.add(this.queue.add(assignment));
    return "queued";
  }

  /** Whether one waits and a slot is free. */
  get canStart(): boolean {
    return this.queue.size > 0 && this.hasFreeSlot;
  }

  /** The next attempt to run, which is running from now on; null where nothing is queued or no slot is free. */
  start(): Held | null {
    const held = this.canStart ? this.queue.take() : null;
    if (held === null) return null;
    held.state = "running";
    held.hasBegun = true;
    this.codes++;
    this.runningCount++;
    return held;
  }

  /** The one that runs next; null where nothing is queued. */
  next(): Assignment | null {
    return this.queue.peek()?.assignment ?? null;
  }

  /** That one goes where its code will run, though no slot is free. */
  startAhead(): Held | null {
    const held = this.queue.take();
    if (held === null) return null;
    held.state = "running";
    this.aheadCount++;
    this.runningCount++;
    return held;
  }

  /** The code of one that was given ahead has begun. The slot of the one before it is free, or about to be. */
  aheadBegan(held: Held): void {
    held.hasBegun = true;
    this.aheadCount--;
    this.codes++;
  }

  /** The code of one that was started has ended, whatever has become of the attempt, or never will begin: its slot is free. */
  codeEnded(held: Held): void {
    if (held.hasBegun) this.codes--;
    else this.aheadCount--;
  }

  /** How it ended is known: its finish is on its way. False where it is known already, or it is not held any more. */
  finishing(held: Held): boolean {
    if (held.state === "finishing" || held.state === "gone") return false;
    this.leave(held);
    held.state = "finishing";
    return true;
  }

  /** The log has its finish. */
  appended(held: Held): void {
    if (held.state === "finishing") this.forget(held);
  }

  /** It is not this worker's any more. */
  drop(held: Held): void {
    if (held.state === "gone") return;
    this.leave(held);
    this.forget(held);
  }

  /** How many have not begun. */
  get waiting(): number {
    return this.queue.size;
  }

  /** Attempts that have not begun. */
  queued(): Held[] {
    return this.queue.all();
  }

  /** It does not run any more, or gives its place in the queue back. */
  private leave(held: Held): void {
    if (held.state === "running") this.runningCount--;
    else if (held.state === "queued") this.queue.leaves();
  }

  private forget(held: Held): void {
    held.state = "gone";
    this.byTask.delete(held.id);
  }
}
