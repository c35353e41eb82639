/**
 * Runs the attempts that a worker holds in its slots, and appends how they ended. A result is kept, and its attempt
 * claimed, until the log has it.
 */
import type { Assignment, AttemptRef, Finish, FinishOutcome, Subjects } from "@weft/protocol";
import { Appender, type BlobSizes, type Connection } from "@weft/transport";
import { type AttemptOutletOptions, attemptOutlet } from "./attempt-outlet.ts";
import { bytesOf, valuesInside, valuesOf } from "./attempt-values.ts";
import type { BegunEntry } from "./begun-table.ts";
import { type Begun, CodeRunner, type Ended, noTask } from "./code-runner.ts";
import type { LogLevel } from "./context.ts";
import { Attempts } from "./core/attempts.ts";
import { Prefetch } from "./core/prefetch.ts";
import type { Executors } from "./executors/executor.ts";
import { encodeFinishes, type FinishItem, finishItem } from "./finish-item.ts";
import { GatheredFinishes } from "./gathered-finishes.ts";
import { LargeValues } from "./large-values.ts";
import { ProgressOutlet } from "./progress-outlet.ts";
import { CANCELLED, failedWith, type StopRequest } from "./run-attempt.ts";
import type { RegisteredTask, TaskRegistry } from "./task-registry.ts";
import { TurnLimit } from "./turn-limit.ts";

export type AttemptRunnerOptions = {
  readonly connection: Connection;
  readonly executors: Executors;
  readonly subjects: Subjects;
  readonly registry: TaskRegistry;
  readonly slots: number;
  /** Attempts held beyond the slots; null to follow the rate at which they end. */
  readonly prefetch: number | null;
  /** What is offered has changed, by more than an attempt that ended. */
  readonly onCredits: () => void;
  readonly blobSizes?: BlobSizes | undefined;
  /** How long code that is asked to stop may take to heed its signal. */
  readonly cancelGraceMs: number;
  readonly log: (line: string) => void;
  readonly onBegin: (attempt: AttemptRef) => BegunEntry;
  /** Whether nothing may begin now. */
  readonly isHeld: () => boolean;
  readonly onTaskLog: (level: LogLevel, task: AttemptRef, message: string, data: unknown) => void;
};

/** Finishes that the log does not take are kept here: beyond this the worker takes no work and begins none, as it does with too many large results to store. */
const FINISH_BYTES_MAX = 64 * 1024 * 1024;
/** Below this it goes on. */
const FINISH_BYTES_FREE = 48 * 1024 * 1024;

/** What is known of the code of an attempt while it has not ended. */
type Code = {
  readonly entry: BegunEntry;
  /** False for one that was given ahead of a slot, until it begins. */
  hasBegun: boolean;
};

type Ending = Pick<Finish, "started" | "value" | "failure"> & {
  /** Whether it may leave together with others that end soon. */
  readonly mayWait: boolean;
};

const UNSTARTED: Ending = { started: false, value: null, failure: null, mayWait: false };
const OVER: StopRequest = { type: "cancelled", reason: "the attempt is no longer current" };

export class AttemptRunner {
  readonly attempts: Attempts;
  private readonly prefetch: Prefetch;
  /** The highest sequence at which the log acknowledged a finish. */
  appendedSeq = 0;
  private readonly options: AttemptRunnerOptions;
  private readonly progress: ProgressOutlet;
  private readonly outlet: AttemptOutletOptions;
  private readonly appender: Appender<"finish", FinishItem>;
  private readonly gathered: GatheredFinishes;
  private readonly large: LargeValues;
  /** Large results that are stored now. */
  private readonly storing = new Set<Promise<void>>();
  private readonly code: CodeRunner;
  private onIdle: (() => void) | null = null;
  private finishBytes = 0;
  private readonly turn: TurnLimit;
  private isFull = false;
  private closed = false;

  constructor(options: AttemptRunnerOptions) {
    const { connection, subjects, log } = options;
    const { sender, instance } = connection;
    this.options = options;
    const { executors, cancelGraceMs } = options;
    const onDeaf = (): void => this.returnIfStuck();
    this.code = new CodeRunner({ clock: connection.clock, executors, cancelGraceMs, log, onDeaf });
    this.turn = new TurnLimit(connection.clock, () => this.startNext());
    this.prefetch = new Prefetch({ slots: options.slots, fixed: options.prefetch });
    this.attempts = new Attempts(options.slots, this.prefetch.creditsMax);
    this.progress = new ProgressOutlet(connection, subjects);
    const isRunning = ({ id, attempt }: AttemptRef): boolean =>
      this.attempts.stateOf(id, attempt) === "running";
    this.outlet = { progress: this.progress, isRunning, log, onTaskLog: options.onTaskLog };
    this.appender = new Appender<"finish", FinishItem>({
      connection,
      stream: subjects.stream(0),
      noun: "finished tasks",
      subject: () => subjects.log(0, "finish", sender),
      encode: (record) => encodeFinishes(instance, record),
      onTrouble: (trouble) => {
        log(
          trouble === null ? "the log takes finishes again" : `the log refuses finishes: ${trouble.message}`,
        );
      },
    });
    this.gathered = new GatheredFinishes({
      clock: connection.clock,
      queued: () => this.attempts.waiting,
      append: (item) => this.appender.add("finish", item),
    });
    this.large = new LargeValues({
      connection,
      subjects,
      sizes: options.blobSizes,
      onTrouble: (trouble) => {
        if (trouble !== null) log(`large results are not stored, and are sent again: ${trouble.message}`);
      },
    });
  }

  assign(assignments: readonly Assignment[]): void {
    for (const assignment of assignments) {
      if (this.attempts.assign(assignment) === "queued") this.prefetch.taken(bytesOf(assignment));
    }
    this.returnIfStuck();
  }

  /** Attempts that the leader may have out here, as things are now. */
  get credits(): number {
    const { slots, leftBehind } = this.attempts;
    return this.isFull || this.code.deafCount >= slots ? 0 : this.prefetch.credits - leftBehind;
  }

  /** What waits for the log or for its store has become more, or less. */
  private reviewRoom(): void {
    // Not at the bound itself, where each acknowledgement would change it and be told.
    const bytesMax = this.isFull ? FINISH_BYTES_FREE : FINISH_BYTES_MAX;
    const isFull = this.finishBytes >= bytesMax || this.large.isCrowded;
    if (isFull === this.isFull) return;
    this.isFull = isFull;
    this.options.onCredits();
    if (!isFull) this.startNext();
  }

  /** Offers fewer where attempts have become slower, and gives back what is queued beyond that. False where nothing changed. */
  reviewCredits(): boolean {
    if (!this.prefetch.step(this.options.connection.clock.nowMs())) return false;
    const excess = this.attempts.size - this.prefetch.credits;
    if (excess > 0) this.returnQueued(excess);
    return true;
  }

  /** How long code that is asked to stop may take to do so, in whole milliseconds. */
  get graceMs(): number {
    return this.code.graceMs;
  }

  startNext(): void {
    while (this.attempts.canStart && !this.isFull && !this.options.isHeld()) {
      if (this.turn.isOver()) return;
      if (this.beginAhead()) continue;
      const next = this.attempts.start();
      if (next === null) return;
      this.begin(next, true);
    }
    while (this.attempts.hasFreeSlot && this.beginAhead());
    this.giveAhead();
  }

  /** What was given ahead of a slot is older than what is queued: it has the slot that is free. */
  private beginAhead(): boolean {
    return this.attempts.ahead > 0 && this.options.executors.thread.ahead?.beginNow() === true;
  }

  /** Threads are given their next attempt before they have ended the present one, so that they go on at once. */
  private giveAhead(): void {
    const { executors, registry, isHeld } = this.options;
    const { ahead } = executors.thread;
    while (ahead !== undefined && !this.isFull && !isHeld()) {
      const next = this.attempts.next();
      const task = next === null ? undefined : registry.get(next.name);
      if (next === null || task?.definition.options.executor !== "thread") return;
      // What must be fetched first has a slot meanwhile.
      if (valuesInside(next) === null || !ahead.hasRoom(task)) return;
      this.attempts.startAhead();
      this.begin(next, false);
    }
  }

  cancel(ref: AttemptRef, reason: string | null): void {
    const state = this.attempts.stateOf(ref.id, ref.attempt);
    if (state === "running") this.code.stop(ref, { type: "cancelled", reason });
    else if (state === "queued") this.finish(ref, "cancelled", UNSTARTED);
  }

  /** The attempt is another worker's, or over: what this one would record of it is void. */
  abort(ref: AttemptRef): void {
    if (this.attempts.stateOf(ref.id, ref.attempt) === "running") this.code.abandon(ref, OVER);
    this.attempts.drop(ref.id, ref.attempt);
  }

  /** Nobody has heard of this worker for so long that others run what it held: all of it is stopped. */
  abandonAll(): void {
    for (const ref of this.attempts.held()) {
      if (this.attempts.stateOf(ref.id, ref.attempt) !== "finishing") this.abort(ref);
    }
  }

  /** Gives back what has not begun, the newest of it. */
  returnQueued(count: number = Number.POSITIVE_INFINITY): void {
    const queued = this.attempts.queued();
    for (const assignment of queued.slice(Math.max(0, queued.length - count))) {
      this.finish(assignment, "returned", UNSTARTED);
    }
  }

  /** Nothing will begin here before code ends that nothing can end: others may have what waits. */
  private returnIfStuck(): void {
    if (this.code.deafCount < this.attempts.slots) return;
    // First, so that what is given back does not come here again.
    this.options.onCredits();
    this.returnQueued();
  }

  /** Resolves when nothing runs, and no large result waits to be stored. */
  async idle(): Promise<void> {
    if (this.isRunning)
      await new Promise<void>((resolve) => {
        this.onIdle = resolve;
      });
    while (this.storing.size > 0) await Promise.all(this.storing);
  }

  /** Resolves when the log has every finish. */
  appended(): Promise<void> {
    this.gathered.release();
    return this.appender.idle();
  }

  /** After a reconnect: what was on its way may be lost. */
  resend(): void {
    this.large.resend();
    this.appender.resend();
  }

  /** What still runs is left behind: its attempt is run again elsewhere. */
  async close(): Promise<void> {
    this.closed = true;
    this.progress.stop();
    this.large.close();
    this.gathered.release();
    this.appender.close();
    await Promise.all(Object.values(this.options.executors).map((executor) => executor.close()));
  }

  private get isRunning(): boolean {
    return this.attempts.running + this.attempts.ahead > 0;
  }

  private begin(assignment: Assignment, hasSlot: boolean): void {
    const entry = this.options.onBegin(assignment);
    const code: Code = { entry, hasBegun: hasSlot };
    const task = this.options.registry.get(assignment.name);
    const values = task === undefined ? null : valuesInside(assignment);
    if (task === undefined) this.over(assignment, code, noTask(assignment));
    else if (values === null) this.watch(this.loadThenRun(assignment, task, code));
    else {
      const onBegun = hasSlot ? null : (): void => this.aheadBegan(code);
      const begun = this.code.begin(assignment, task, values, {
        entry,
        outlet: attemptOutlet(assignment, this.outlet),
        onBegun,
      });
      if (begun.end instanceof Promise) this.watch(this.awaitEnd(assignment, code, begun));
      else this.over(assignment, code, begun.end);
    }
  }

  private aheadBegan(code: Code): void {
    code.hasBegun = true;
    this.attempts.aheadBegan();
  }

  private watch(running: Promise<void>): void {
    running.catch((error: unknown) => this.options.log(`running an attempt failed: ${String(error)}`));
  }

  private async loadThenRun(assignment: Assignment, task: RegisteredTask, code: Code): Promise<void> {
    const { connection, subjects } = this.options;
    const { id, attempt } = assignment;
    const isWanted = (): boolean => !this.closed && this.attempts.stateOf(id, attempt) === "running";
    let begun: Begun = { end: CANCELLED, code: null, isApart: false };
    try {
      const values = await valuesOf(assignment, { connection, subjects, large: this.large, isWanted });
      // They took a while: the attempt may be over, or another's, by now.
      const outside = { entry: code.entry, outlet: attemptOutlet(assignment, this.outlet), onBegun: null };
      if (isWanted()) begun = this.code.begin(assignment, task, values, outside);
    } catch (error) {
      begun = { end: failedWith(error), code: null, isApart: false };
    }
    await this.awaitEnd(assignment, code, begun);
  }

  private async awaitEnd(assignment: Assignment, code: Code, begun: Begun): Promise<void> {
    const end = await begun.end;
    if (!this.closed) this.ended(assignment, code, end, begun.isApart);
    if (begun.code !== null) await begun.code;
    this.codeEnded(code, begun.isApart);
    if (this.closed) return;
    this.startNext();
    this.gathered.review();
    if (!this.isRunning) this.onIdle?.();
  }

  /** Attempt and code have ended in the turn in which they began. */
  private over(assignment: Assignment, code: Code, end: Ended): void {
    this.ended(assignment, code, end, false);
    this.codeEnded(code, false);
  }

  /** How an attempt ended is known. Its code may go on: then its slot is taken until that ends, too. */
  private ended(
    assignment: Assignment,
    { hasBegun }: Code,
    { outcome, value, failure }: Ended,
    isApart: boolean,
  ): void {
    const { id, attempt } = assignment;
    this.code.over(assignment);
    // Whoever stops code waits for its end.
    const mayWait = isApart && (outcome === "succeeded" || outcome === "failed");
    if (this.attempts.stateOf(id, attempt) === "running")
      this.finish(assignment, outcome, { started: hasBegun, value, failure, mayWait });
    else this.progress.close(id, attempt);
  }

  private codeEnded({ entry, hasBegun }: Code, isApart: boolean): void {
    entry.ended();
    if (hasBegun) this.attempts.codeEnded();
    else this.attempts.aheadEnded();
    if (this.closed) return;
    if (this.prefetch.finished(this.options.connection.clock.nowMs(), isApart)) this.options.onCredits();
  }

  private finish({ id, attempt }: AttemptRef, outcome: FinishOutcome, ending: Ending): void {
    if (!this.attempts.finishing(id, attempt)) return;
    const progress = this.progress.close(id, attempt);
    const { started, value, failure, mayWait } = ending;
    const finish = { id, attempt, outcome, progress, started, value, failure };
    if (outcome !== "succeeded" || value === null || !this.large.isLarge(value))
      return this.append(finish, mayWait);
    const storing = this.storeThenAppend(finish, value)
      .catch((error: unknown) => this.options.log(`the result of task ${id} is not stored: ${String(error)}`))
      .finally(() => this.storing.delete(storing));
    this.storing.add(storing);
  }

  /** The attempt is claimed meanwhile, as it is until the log has its finish. */
  private async storeThenAppend(finish: Finish, value: Uint8Array): Promise<void> {
    const { id, attempt } = finish;
    const storing = this.large.store(value, finish);
    this.reviewRoom();
    const reference = await storing;
    if (this.closed) return;
    if (this.attempts.stateOf(id, attempt) === "finishing")
      this.append({ ...finish, value: reference }, false);
    this.reviewRoom();
  }

  private append(finish: Finish, mayWait: boolean): void {
    const { id, attempt } = finish;
    const item = finishItem(finish, (seq) => {
      this.appendedSeq = Math.max(this.appendedSeq, seq);
      this.attempts.appended(id, attempt);
      this.finishBytes -= item.bytes;
      this.reviewRoom();
    });
    this.finishBytes += item.bytes;
    this.reviewRoom();
    if (mayWait) return this.gathered.add(item);
    this.appender.add("finish", item);
    // It has room for them, and wakes everybody anyway.
    this.gathered.release();
  }
}
