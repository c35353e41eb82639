/**
 * A thread or a process as the worker sees it: it runs one attempt at a time, and when it dies it takes that attempt with
 * it and nothing else. A thread may have the next one already, which it begins as soon as it has ended the one that it runs.
 */
import type { Clock } from "@weft/transport";
import { endsSoon } from "../core/ahead.ts";
import {
  type AttemptEnd,
  type AttemptInput,
  CANCELLED,
  failedWith,
  type StopRequest,
  TERMINATED,
} from "../run-attempt.ts";
import type { Job } from "./job.ts";
import type { FromInside, ToInside } from "./messages.ts";
import { giveTicket, keepTicket, type TicketMemory, takeTicket } from "./ticket.ts";

export type PlaceOptions = {
  readonly memoryMb: number | null;
  readonly clock: Clock;
  readonly onFree: (place: Place) => void;
  /** It is to be given nothing any more; it may still take a while to end. */
  readonly onLeave: (place: Place) => void;
  /** It has ended. `left` waited there and never began. */
  readonly onGone: (place: Place, left: Job | null) => void;
};

export abstract class Place {
  readonly memoryMb: number | null;
  private readonly options: PlaceOptions;
  private job: Job | null = null;
  /** What it begins when that has ended. */
  private next: Job | null = null;
  /** What was next when it was to be ended. */
  private left: Job | null = null;
  private lastMs: number | null = null;
  private jobs = 0;
  private isLeft = false;
  private terminating = false;
  private readonly ticket: TicketMemory | null;

  /** `ticket` is what it shares with this side where it may be given one that waits: only so it can be taken back. */
  constructor(options: PlaceOptions, ticket: TicketMemory | null = null) {
    this.options = options;
    this.ticket = ticket;
    this.memoryMb = options.memoryMb;
  }

  /** Ends it by force, whatever runs in it; resolves when it has ended. */
  abstract end(): Promise<void>;
  protected abstract send(message: ToInside): void;

  /** Nothing may run in it. */
  run(job: Job): void {
    this.job = job;
    this.enter(job);
    this.begins(job);
    this.send(runMessage(job, false));
  }

  /** Whether it may be given one that waits: what runs in it is expected to end soon. */
  hasRoomAhead(): boolean {
    const { ticket, job, next, isLeft } = this;
    return ticket !== null && !isLeft && next === null && job !== null && this.jobEndsSoon(job);
  }

  /** There must be room. */
  runAhead(job: Job): void {
    this.next = job;
    this.enter(job);
    if (this.ticket !== null) giveTicket(this.ticket, job.number);
    this.send(runMessage(job, true));
  }

  /** Whether one waits in it behind code that takes long. */
  get isStuck(): boolean {
    return this.next !== null && this.job !== null && !this.jobEndsSoon(this.job);
  }

  /** What waits in it, to be run elsewhere; null where nothing does, or it has begun: then what ran before it has ended. */
  takeBack(): Job | null {
    const { next, ticket } = this;
    if (next === null || ticket === null || !takeTicket(ticket, next.number)) return null;
    this.next = null;
    return next;
  }

  stop(job: Job, request: StopRequest): void {
    if (job === this.next && this.takeBack() !== null) job.ended(CANCELLED);
    else if (job === this.job || job === this.next) this.send({ type: "stop", job: job.number, request });
  }

  terminate(job: Job): boolean {
    if (job !== this.job || this.terminating || !this.isEndOfOne()) return true;
    this.terminating = true;
    this.leave();
    this.end().catch((error: unknown) => this.gone(() => failedWith(error)));
    return true;
  }

  /** What runs in it, for messages to people. */
  protected get running(): AttemptInput | null {
    return this.job?.options.input ?? null;
  }

  /** Whether it is the present job's; what an earlier one left behind is nobody's. */
  protected isCurrent(message: FromInside): boolean {
    return this.job?.number === message.job;
  }

  protected deliver(message: FromInside): void {
    const { job } = this;
    if (job === null || !this.isCurrent(message)) return;
    const { outlet } = job.options;
    if (message.type === "progress") outlet.progress(message.fraction, message.message, message.data);
    else if (message.type === "log") outlet.log(message.level, message.message, message.data);
    else if (message.type === "ended") {
      const { progress, end } = message;
      if (progress !== null) outlet.progress(progress.fraction, progress.message, progress.data);
      // One that is being ended by force must not be given another attempt.
      if (this.terminating) return;
      this.lastMs = job.runsForMs(this.options.clock.nowMs());
      this.goOn();
      job.ended(end);
    }
  }

  /** A job begins: when it is told to, or by itself. */
  protected begins(job: Job): void {
    job.begins(this.options.clock.nowMs());
  }

  /** Takes back what waits, before it is ended because of what runs in it. False where that has ended already. */
  protected isEndOfOne(): boolean {
    if (this.next === null) return true;
    this.left = this.takeBack();
    return this.left !== null;
  }

  /** No longer to be given anything. */
  protected leave(): void {
    this.isLeft = true;
    this.options.onLeave(this);
  }

  /** It has ended: `why` is what became of the attempt that ran in it. */
  protected gone(why: () => AttemptEnd): void {
    this.leave();
    const { job } = this;
    const left = this.left ?? this.takeBack();
    const { next } = this;
    this.job = null;
    this.next = null;
    this.left = null;
    job?.ended(this.terminating ? TERMINATED : why());
    next?.ended(why());
    this.options.onGone(this, left);
  }

  private enter(job: Job): void {
    job.goesTo(this, ++this.jobs);
  }

  /** The next one has begun, or there is none. */
  private goOn(): void {
    const { next, ticket } = this;
    this.job = next;
    this.next = null;
    if (next !== null) {
      if (ticket !== null) keepTicket(ticket, next.number);
      this.begins(next);
    } else if (!this.isLeft) this.options.onFree(this);
  }

  private jobEndsSoon(job: Job): boolean {
    return endsSoon({ lastMs: this.lastMs, runsForMs: job.runsForMs(this.options.clock.nowMs()) });
  }
}

function runMessage({ number, options }: Job, isAhead: boolean): ToInside {
  return { type: "run", job: number, isAhead, moduleUrl: options.task.moduleUrl ?? "", input: options.input };
}
