/**
 * Runs the attempts that a worker holds in its slots, and appends how they ended. A result is kept, and its attempt
 * claimed, until the log has it.
 */
import type { Assignment, AttemptRef, Finish, Subjects } from "@weft/protocol";
import { Appender, type BlobSizes, type Connection } from "@weft/transport";
import { AttemptOutlet, type AttemptOutletOptions } from "./attempt-outlet.ts";
import { bytesOf, inputInside, inputOf } from "./attempt-values.ts";
import type { BegunEntry } from "./begun-table.ts";
import { type Begun, CodeRunner, type Ended, noTask } from "./code-runner.ts";
import type { LogLevel } from "./context.ts";
import { Attempts, type Held } from "./core/attempts.ts";
import { Prefetch } from "./core/prefetch.ts";
import type { Executors } from "./executors/executor.ts";
import { encodeFinishes, FinishItem, type FinishListener } from "./finish-item.ts";
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
  /** Whether nothing may begin now, which is at `nowMs`. */
  readonly isHeld: (nowMs: number) => boolean;
  readonly onTaskLog: (level: LogLevel, task: AttemptRef, message: string, data: unknown) => void;
};

/** Finishes that the log does not take are kept here: beyond this the worker takes no work and begins none, as it does with too many large results to store. */
const FINISH_BYTES_MAX = 64 * 1024 * 1024;
/** Below this it goes on. */
const FINISH_BYTES_FREE = 48 * 1024 * 1024;

/** How an attempt ended, as the log has it. */
type Ending = Pick<Finish, "outcome" | "value" | "failure">;

const RETURNED: Ending = { outcome: "returned", value: null, failure: null };
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
    this.outlet = { progress: this.progress, log, onTaskLog: options.onTaskLog };
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
    const { connection, isHeld } = this.options;
    while (this.attempts.canStart && !this.isFull) {
      // Read once for all that is to be done with one attempt: it takes 0.05 µs.
      const nowMs = connection.clock.nowMs();
      if (isHeld(nowMs)) break;
      if (this.turn.isOver(nowMs)) return;
      if (this.beginAhead()) continue;
      const next = this.attempts.start();
      if (next === null) return;
      this.begin(next, nowMs);
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
    const { executors, registry, connection, isHeld } = this.options;
    const { ahead } = executors.thread;
    while (ahead !== undefined && !this.isFull) {
      const next = this.attempts.next();
      const task = next === null ? undefined : registry.get(next.name);
      if (next === null || task?.definition.options.executor !== "thread") return;
      // What must be fetched first has a slot meanwhile.
      if (inputInside(next) === null || !ahead.hasRoom(task)) return;
      const nowMs = connection.clock.nowMs();
      if (isHeld(nowMs)) return;
      const held = this.attempts.startAhead();
      if (held !== null) this.begin(held, nowMs);
    }
  }

  cancel(ref: AttemptRef, reason: string | null): void {
    const held = this.attempts.find(ref);
    if (held?.state === "running") this.code.stop(ref, { type: "cancelled", reason });
    else if (held?.state === "queued") this.finish(held, CANCELLED);
  }

  /** The attempt is another worker's, or over: what this one would record of it is void. */
  abort(ref: AttemptRef): void {
    const held = this.attempts.find(ref);
    if (held === null) return;
    if (held.state === "running") this.code.abandon(ref, OVER);
    this.attempts.drop(held);
  }

  /** Nobody has heard of this worker for so long that others run what it held: all of it is stopped. */
  abandonAll(): void {
    for (const ref of this.attempts.held()) {
      if (this.attempts.find(ref)?.state !== "finishing") this.abort(ref);
    }
  }

  /** Gives back what has not begun, the newest of it. */
  returnQueued(count: number = Number.POSITIVE_INFINITY): void {
    const queued = this.attempts.queued();
    for (const held of queued.slice(Math.max(0, queued.length - count))) this.finish(held, RETURNED);
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

  private begin(held: Held, nowMs: number): void {
    const { assignment } = held;
    const entry = this.options.onBegin(assignment);
    const task = this.options.registry.get(assignment.name);
    const input = task === undefined ? null : inputInside(assignment);
    if (task === undefined) this.over(held, entry, { end: noTask(assignment), nowMs });
    else if (input === null) this.watch(this.loadThenRun(held, entry, task));
    else {
      const outlet = new AttemptOutlet(held, this.outlet);
      const onBegun = held.hasBegun ? null : this.whenBegun(held);
      const begun = this.code.begin(assignment, task, input, { entry, outlet, onBegun });
      const { end } = begun;
      if (end instanceof Promise) this.watch(this.awaitEnd(held, entry, begun));
      else this.over(held, entry, { end, nowMs });
    }
  }

  private whenBegun(held: Held): () => void {
    return () => this.attempts.aheadBegan(held);
  }

  private watch(running: Promise<void>): void {
    running.catch((error: unknown) => this.options.log(`running an attempt failed: ${String(error)}`));
  }

  private async loadThenRun(held: Held, entry: BegunEntry, task: RegisteredTask): Promise<void> {
    const { connection, subjects } = this.options;
    const { assignment } = held;
    const isWanted = (): boolean => !this.closed && held.state === "running";
    let begun: Begun = { end: CANCELLED, code: null, isApart: false };
    try {
      const input = await inputOf(assignment, { connection, subjects, large: this.large, isWanted });
      // They took a while: the attempt may be over, or another's, by now.
      const outside = { entry, outlet: new AttemptOutlet(held, this.outlet), onBegun: null };
      if (isWanted()) begun = this.code.begin(assignment, task, input, outside);
    } catch (error) {
      begun = { end: failedWith(error), code: null, isApart: false };
    }
    await this.awaitEnd(held, entry, begun);
  }

  private async awaitEnd(held: Held, entry: BegunEntry, begun: Begun): Promise<void> {
    const end = await begun.end;
    if (!this.closed) this.ended(held, end, begun.isApart);
    if (begun.code !== null) await begun.code;
    const { isApart } = begun;
    this.codeEnded(held, entry, { isApart, nowMs: this.options.connection.clock.nowMs() });
    if (this.closed) return;
    this.startNext();
    this.gathered.review();
    if (!this.isRunning) this.onIdle?.();
  }

  /** Attempt and code have ended at once. They began at `nowMs`, and mostly no clock would tell that from now. */
  private over(
    held: Held,
    entry: BegunEntry,
    { end, nowMs }: { readonly end: Ended; readonly nowMs: number },
  ): void {
    this.ended(held, end, false);
    this.codeEnded(held, entry, { isApart: false, nowMs });
  }

  /** How an attempt ended is known. Its code may go on: then its slot is taken until that ends, too. */
  private ended(held: Held, end: Ended, isApart: boolean): void {
    const { id, attempt } = held.assignment;
    this.code.over(held.assignment);
    // Whoever stops code waits for its end.
    const mayWait = isApart && (end.outcome === "succeeded" || end.outcome === "failed");
    if (held.state === "running") this.finish(held, end, mayWait);
    else this.progress.close(id, attempt);
  }

  private codeEnded(
    held: Held,
    entry: BegunEntry,
    { isApart, nowMs }: { readonly isApart: boolean; readonly nowMs: number },
  ): void {
    entry.ended();
    this.attempts.codeEnded(held);
    if (this.closed) return;
    if (this.prefetch.finished(nowMs, isApart)) this.options.onCredits();
  }

  /** @param mayWait Whether it may leave together with others that end soon. */
  private finish(held: Held, { outcome, value, failure }: Ending, mayWait = false): void {
    if (!this.attempts.finishing(held)) return;
    const { id, attempt } = held.assignment;
    const progress = this.progress.close(id, attempt);
    const finish = { id, attempt, outcome, progress, started: held.hasBegun, value, failure };
    if (outcome !== "succeeded" || value === null || !this.large.isLarge(value))
      return this.append(held, finish, mayWait);
    const storing = this.storeThenAppend(held, finish, value)
      .catch((error: unknown) => this.options.log(`the result of task ${id} is not stored: ${String(error)}`))
      .finally(() => this.storing.delete(storing));
    this.storing.add(storing);
  }

  /** The attempt is claimed meanwhile, as it is until the log has its finish. */
  private async storeThenAppend(held: Held, finish: Finish, value: Uint8Array): Promise<void> {
    const storing = this.large.store(value, finish);
    this.reviewRoom();
    const reference = await storing;
    if (this.closed) return;
    if (held.state === "finishing") this.append(held, { ...finish, value: reference }, false);
    this.reviewRoom();
  }

  private append(held: Held, finish: Finish, mayWait: boolean): void {
    const item = new FinishItem(finish, held, this.onAcknowledged);
    this.finishBytes += item.bytes;
    this.reviewRoom();
    if (mayWait) return this.gathered.add(item);
    this.appender.add("finish", item);
    // It has room for them, and wakes everybody anyway.
    this.gathered.release();
  }

  private readonly onAcknowledged: FinishListener = ({ held, bytes }, seq) => {
    this.appendedSeq = Math.max(this.appendedSeq, seq);
    this.attempts.appended(held);
    this.finishBytes -= bytes;
    this.reviewRoom();
  };
}
