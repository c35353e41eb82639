/**
 * Runs the attempts that a worker holds in its slots, and appends how they ended. A result is kept, and its attempt
 * claimed, until the log has it.
 */
import {
  type Assignment,
  type AttemptRef,
  type Finish,
  type FinishOutcome,
  type Subjects,
  type TaskId,
  UsageError,
} from "@weft/protocol";
import { Appender, type BlobSizes, type Connection } from "@weft/transport";
import { valuesInside, valuesOf } from "./attempt-values.ts";
import type { BegunEntry } from "./begun-table.ts";
import type { LogLevel, TaskOutlet } from "./context.ts";
import { Attempts } from "./core/attempts.ts";
import { Prefetch } from "./core/prefetch.ts";
import type { Executors, Run } from "./executors/executor.ts";
import { encodeFinishes, type FinishItem, finishItem } from "./finish-item.ts";
import { LargeValues } from "./large-values.ts";
import { ProgressOutlet } from "./progress-outlet.ts";
import { type AttemptEnd, CANCELLED, failedWith, type StopRequest } from "./run-attempt.ts";
import type { TaskRegistry } from "./task-registry.ts";
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

type Ended = Omit<AttemptEnd, "outcome"> & { readonly outcome: AttemptEnd["outcome"] | "timed_out" };

const TIMED_OUT: Ended = { outcome: "timed_out", value: null, failure: null };
const UNSTARTED = { started: false, value: null, failure: null } as const;
const OVER: StopRequest = { type: "cancelled", reason: "the attempt is no longer current" };

export class AttemptRunner {
  readonly attempts: Attempts;
  private readonly prefetch: Prefetch;
  /** The highest sequence at which the log acknowledged a finish. */
  appendedSeq = 0;
  private readonly options: AttemptRunnerOptions;
  private readonly progress: ProgressOutlet;
  private readonly appender: Appender<"finish", FinishItem>;
  private readonly large: LargeValues;
  /** Large results that are stored now. */
  private readonly storing = new Set<Promise<void>>();
  private readonly runs = new Map<TaskId, Run>();
  private readonly stopping = new WeakSet<Run>();
  /** Runs that heeded nothing and that nothing can end. */
  private readonly deaf = new Set<Run>();
  /** Runs that had their time: whatever they come to now, they timed out. */
  private readonly timedOut = new WeakSet<Run>();
  /** Cancels of attempts whose dependency values are still on their way. */
  private readonly earlyCancels = new Map<TaskId, { readonly reason: string | null }>();
  private onIdle: (() => void) | null = null;
  private finishBytes = 0;
  private readonly turn: TurnLimit;
  private wasFull = false;
  private closed = false;

  constructor(options: AttemptRunnerOptions) {
    const { connection, subjects, log } = options;
    const { sender, instance } = connection;
    this.options = options;
    this.turn = new TurnLimit(connection.clock, () => this.startNext());
    this.prefetch = new Prefetch({ slots: options.slots, fixed: options.prefetch });
    this.attempts = new Attempts(options.slots, this.prefetch.creditsMax);
    this.progress = new ProgressOutlet(connection, subjects);
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
    return this.isFull || this.deaf.size >= slots ? 0 : this.prefetch.credits - leftBehind;
  }

  private get isFull(): boolean {
    return this.finishBytes >= FINISH_BYTES_MAX || this.large.isCrowded;
  }

  /** What waits for the log or for its store has become more, or less. */
  private reviewRoom(): void {
    const { isFull } = this;
    if (isFull === this.wasFull) return;
    this.wasFull = isFull;
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
    return Math.ceil(this.options.cancelGraceMs);
  }

  startNext(): void {
    while (this.attempts.canStart && !this.isFull && !this.options.isHeld()) {
      if (this.turn.isOver()) return;
      const next = this.attempts.start();
      if (next === null) return;
      this.run(next).catch((error: unknown) =>
        this.options.log(`running an attempt failed: ${String(error)}`),
      );
    }
  }

  cancel(ref: AttemptRef, reason: string | null): void {
    const state = this.attempts.stateOf(ref.id, ref.attempt);
    const run = this.runs.get(ref.id);
    if (state === "running" && run !== undefined) this.stopRun(ref, run, { type: "cancelled", reason });
    else if (state === "running") this.earlyCancels.set(ref.id, { reason });
    else if (state === "queued") this.finish(ref, "cancelled", UNSTARTED);
  }

  /** The attempt is another worker's, or over: what this one would record of it is void. */
  abort(ref: AttemptRef): void {
    if (this.attempts.stateOf(ref.id, ref.attempt) === "running") {
      const run = this.runs.get(ref.id);
      if (run !== undefined) this.stopRun(ref, run, OVER);
      this.runs.delete(ref.id);
    }
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
    if (this.deaf.size < this.attempts.slots) return;
    // First, so that what is given back does not come here again.
    this.options.onCredits();
    this.returnQueued();
  }

  /** Resolves when nothing runs, and no large result waits to be stored. */
  async idle(): Promise<void> {
    if (this.attempts.running > 0)
      await new Promise<void>((resolve) => {
        this.onIdle = resolve;
      });
    while (this.storing.size > 0) await Promise.all(this.storing);
  }

  /** Resolves when the log has every finish. */
  appended(): Promise<void> {
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
    this.appender.close();
    await Promise.all(Object.values(this.options.executors).map((executor) => executor.close()));
  }

  private async run(assignment: Assignment): Promise<void> {
    const { id, attempt } = assignment;
    this.progress.open(id, attempt, assignment.owner);
    const entry = this.options.onBegin({ id, attempt });
    const code: { run: Run | null } = { run: null };
    const end = await this.execute(assignment, entry, code);
    this.earlyCancels.delete(id);
    if (!this.closed) this.ended(assignment, end);
    await code.run?.end;
    entry.ended();
    this.attempts.codeEnded();
    if (this.closed) return;
    if (this.prefetch.finished(this.options.connection.clock.nowMs())) this.options.onCredits();
    this.startNext();
    if (this.attempts.running === 0) this.onIdle?.();
  }

  /** How an attempt ended is known. Its code may go on: then its slot is taken until that ends, too. */
  private ended(assignment: Assignment, { outcome, value, failure }: Ended): void {
    const { id, attempt } = assignment;
    if (this.attempts.stateOf(id, attempt) === "running") {
      this.runs.delete(id);
      this.finish(assignment, outcome, { started: true, value, failure });
    } else this.progress.close(id, attempt);
  }

  private async execute(
    assignment: Assignment,
    entry: BegunEntry,
    code: { run: Run | null },
  ): Promise<Ended> {
    const { connection, subjects, registry } = this.options;
    const { id, name, attempt, timeoutMs } = assignment;
    const task = registry.get(name);
    if (task === undefined) return failedWith(new UsageError(`this worker has no task "${name}"`));
    try {
      const isWanted = (): boolean => !this.closed && this.attempts.stateOf(id, attempt) === "running";
      const source = { connection, subjects, large: this.large, isWanted };
      const { args, deps } = valuesInside(assignment) ?? (await valuesOf(assignment, source));
      // Its values took a while: it may be over, or another's, by now.
      if (!isWanted()) return CANCELLED;
      const kind = task.definition.options.executor;
      if (kind === "inline" && timeoutMs !== null) entry.limit(timeoutMs + this.graceMs);
      const run = this.options.executors[kind].run(
        task,
        { id, name, attempt, args, deps },
        this.outletOf({ id, attempt }),
      );
      code.run = run;
      this.runs.set(id, run);
      const early = this.earlyCancels.get(id);
      if (early !== undefined)
        this.stopRun({ id, attempt }, run, { type: "cancelled", reason: early.reason });
      return await this.inTime(assignment, run);
    } catch (error) {
      return failedWith(error);
    }
  }

  /** How it ended, or that it took longer than it may: then it is stopped, and nothing that it still does counts. */
  private async inTime(assignment: Assignment, run: Run): Promise<Ended> {
    const { timeoutMs } = assignment;
    if (timeoutMs === null) return run.end;
    const late = Promise.withResolvers<Ended>();
    const timer = this.options.connection.clock.after(timeoutMs, () => {
      // Somebody wants it stopped already: that is what became of it.
      if (this.stopping.has(run)) return;
      this.timedOut.add(run);
      this.stopRun(assignment, run, { type: "timed_out", timeoutMs }, () => late.resolve(TIMED_OUT));
    });
    const end = await Promise.race([run.end, late.promise]);
    timer.cancel();
    return this.timedOut.has(run) ? TIMED_OUT : end;
  }

  /** Asks the code to stop; what has not after its grace is ended by force, or left behind where its executor cannot. */
  private stopRun(ref: AttemptRef, run: Run, request: StopRequest, leftBehind?: () => void): void {
    const { connection, cancelGraceMs, log } = this.options;
    // The leader repeats a cancel for as long as the attempt is held.
    if (this.stopping.has(run)) return;
    this.stopping.add(run);
    run.stop(request);
    const grace = connection.clock.after(cancelGraceMs, () => {
      if (run.terminate())
        log(`task ${ref.id} did not stop within ${cancelGraceMs} ms: it is ended by force`);
      else {
        log(
          `task ${ref.id} does not stop: inline code can only be asked to, through ctx.signal; its slot is taken until it ends`,
        );
        this.deaf.add(run);
        leftBehind?.();
        this.returnIfStuck();
      }
    });
    const over = (): void => {
      grace.cancel();
      this.deaf.delete(run);
    };
    run.end.then(over, over);
  }

  private outletOf(ref: AttemptRef): TaskOutlet {
    return {
      progress: (fraction, message, data) => this.progress.report(ref, { fraction, message, data }),
      log: (level, message, data) => {
        try {
          this.options.onTaskLog(level, ref, message, data);
        } catch (error) {
          // It is the worker's owner who listens, not the task: the task must not fail of it.
          this.options.log(`onTaskLog threw: ${String(error)}`);
        }
      },
    };
  }

  private finish(
    { id, attempt }: AttemptRef,
    outcome: FinishOutcome,
    end: Pick<Finish, "started" | "value" | "failure">,
  ): void {
    if (!this.attempts.finishing(id, attempt)) return;
    const progress = this.progress.close(id, attempt);
    const finish = { id, attempt, outcome, progress, ...end };
    const { value } = end;
    if (outcome !== "succeeded" || value === null || !this.large.isLarge(value)) return this.append(finish);
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
    if (this.attempts.stateOf(id, attempt) === "finishing") this.append({ ...finish, value: reference });
    this.reviewRoom();
  }

  private append(finish: Finish): void {
    const { id, attempt } = finish;
    const item = finishItem(finish, (seq) => {
      this.appendedSeq = Math.max(this.appendedSeq, seq);
      this.attempts.appended(id, attempt);
      this.finishBytes -= item.bytes;
      this.reviewRoom();
    });
    this.finishBytes += item.bytes;
    this.reviewRoom();
    this.appender.add("finish", item);
  }
}

function bytesOf({ args, deps }: Assignment): number {
  let bytes = args.length;
  for (const value of deps?.values ?? []) bytes += value?.length ?? 0;
  return bytes;
}
