/**
 * The code of attempts while it runs: within its time, asked to stop, ended by force once its grace is over, or left behind
 * where nothing can end it.
 */
import { type Assignment, type AttemptRef, type TaskId, UsageError } from "@weft/protocol";
import type { Clock } from "@weft/transport";
import type { BegunEntry } from "./begun-table.ts";
import type { TaskOutlet } from "./context.ts";
import type { Executors, Run } from "./executors/executor.ts";
import { type AttemptEnd, type AttemptInput, failedWith, type StopRequest } from "./run-attempt.ts";
import type { RegisteredTask } from "./task-registry.ts";

export type Ended = Omit<AttemptEnd, "outcome"> & {
  readonly outcome: AttemptEnd["outcome"] | "timed_out";
};

/** What code has to do with beyond itself. */
export type Outside = {
  readonly entry: BegunEntry;
  readonly outlet: TaskOutlet;
  /** Where it is given ahead of a slot: told when the code begins. Null where it begins now. */
  readonly onBegun: (() => void) | null;
};

/** Code that was begun. */
export type Begun = {
  /** How its attempt ended, which may be known before the code has ended. */
  readonly end: Ended | Promise<Ended>;
  /** Settles when the code has ended; null where it has. */
  readonly code: Promise<unknown> | null;
  /** Whether it runs in a thread or a process of its own. */
  readonly isApart: boolean;
};

export type CodeRunnerOptions = {
  readonly clock: Clock;
  readonly executors: Executors;
  /** How long code that is asked to stop may take to heed its signal. */
  readonly cancelGraceMs: number;
  readonly log: (line: string) => void;
  /** Some more code does not stop, and cannot be ended. */
  readonly onDeaf: () => void;
};

/** One task may have two attempts here: the newest, and code of an older one that goes on. */
type OfAttempt<T> = { readonly attempt: number; readonly what: T };

const TIMED_OUT: Ended = { outcome: "timed_out", value: null, failure: null };

export class CodeRunner {
  private readonly options: CodeRunnerOptions;
  private readonly runs = new Map<TaskId, OfAttempt<Run>>();
  private readonly stopping = new WeakSet<Run>();
  /** Runs that heeded nothing and that nothing can end. */
  private readonly deaf = new Set<Run>();
  /** Runs that had their time: whatever they come to now, they timed out. */
  private readonly timedOut = new WeakSet<Run>();
  /** What is asked of attempts whose values are still on their way. */
  private readonly early = new Map<TaskId, OfAttempt<StopRequest>>();

  constructor(options: CodeRunnerOptions) {
    this.options = options;
  }

  /** Code that takes a slot for as long as it likes. */
  get deafCount(): number {
    return this.deaf.size;
  }

  /** How long code that is asked to stop may take to do so, in whole milliseconds. */
  get graceMs(): number {
    return Math.ceil(this.options.cancelGraceMs);
  }

  /** Never throws. Has ended at once where its code waits for nothing. */
  begin(
    assignment: Assignment,
    task: RegisteredTask,
    input: AttemptInput,
    { entry, outlet, onBegun }: Outside,
  ): Begun {
    const { id, attempt, timeoutMs } = assignment;
    try {
      const kind = task.definition.options.executor;
      if (kind === "inline" && timeoutMs !== null) entry.limit(timeoutMs + this.graceMs);
      const { run, begun } = this.run(task, input, outlet, onBegun);
      const code = run.end;
      const isApart = kind !== "inline";
      if (!(code instanceof Promise)) return { end: code, code: null, isApart };
      this.runs.set(id, { attempt, what: run });
      const early = of(this.early, assignment);
      if (early !== undefined) this.stopRun(assignment, run, early);
      const end = timeoutMs === null ? code : this.inTime(assignment, run, code, { timeoutMs, begun });
      return { end, code, isApart };
    } catch (error) {
      return { end: failedWith(error), code: null, isApart: false };
    }
  }

  /** Its attempt is the current one here, and runs, or waits for its values. */
  stop(ref: AttemptRef, request: StopRequest): void {
    const run = of(this.runs, ref);
    if (run === undefined) this.early.set(ref.id, { attempt: ref.attempt, what: request });
    else this.stopRun(ref, run, request);
  }

  /** The attempt is not this worker's any more: its code is stopped, and nobody hears how it ended. */
  abandon(ref: AttemptRef, request: StopRequest): void {
    const run = of(this.runs, ref);
    if (run !== undefined) this.stopRun(ref, run, request);
    this.over(ref);
  }

  /** How the attempt ended is known, or nobody wants to know. */
  over(ref: AttemptRef): void {
    forget(this.runs, ref);
    forget(this.early, ref);
  }

  /** `begun` is null where it has. */
  private run(
    task: RegisteredTask,
    input: AttemptInput,
    outlet: TaskOutlet,
    onBegun: (() => void) | null,
  ): { readonly run: Run; readonly begun: Promise<void> | null } {
    const executor = this.options.executors[task.definition.options.executor];
    if (onBegun === null || executor.ahead === undefined)
      return { run: executor.run(task, input, outlet), begun: null };
    const begun = Promise.withResolvers<void>();
    const run = executor.ahead.runAhead(task, input, outlet, () => {
      onBegun();
      begun.resolve();
    });
    return { run, begun: begun.promise };
  }

  /** How it ended, or that it took longer than it may: then it is stopped, and nothing that it still does counts. */
  private async inTime(
    ref: AttemptRef,
    run: Run,
    code: Promise<AttemptEnd>,
    { timeoutMs, begun }: { readonly timeoutMs: number; readonly begun: Promise<void> | null },
  ): Promise<Ended> {
    if (begun !== null) await Promise.race([begun, code]);
    const late = Promise.withResolvers<Ended>();
    const timer = this.options.clock.after(timeoutMs, () => {
      // Somebody wants it stopped already: that is what became of it.
      if (this.stopping.has(run)) return;
      this.timedOut.add(run);
      this.stopRun(ref, run, { type: "timed_out", timeoutMs }, () => late.resolve(TIMED_OUT));
    });
    const end = await Promise.race([code, late.promise]);
    timer.cancel();
    return this.timedOut.has(run) ? TIMED_OUT : end;
  }

  /** Asks the code to stop; what has not after its grace is ended by force, or left behind where its executor cannot. */
  private stopRun(ref: AttemptRef, run: Run, request: StopRequest, leftBehind?: () => void): void {
    const { clock, cancelGraceMs, log, onDeaf } = this.options;
    // The leader repeats a cancel for as long as the attempt is held.
    if (this.stopping.has(run)) return;
    this.stopping.add(run);
    run.stop(request);
    const grace = clock.after(cancelGraceMs, () => {
      if (run.terminate())
        log(`task ${ref.id} did not stop within ${cancelGraceMs} ms: it is ended by force`);
      else {
        log(
          `task ${ref.id} does not stop: inline code can only be asked to, through ctx.signal; its slot is taken until it ends`,
        );
        this.deaf.add(run);
        leftBehind?.();
        onDeaf();
      }
    });
    const over = (): void => {
      grace.cancel();
      this.deaf.delete(run);
    };
    Promise.resolve(run.end).then(over, over);
  }
}

function of<T>(known: ReadonlyMap<TaskId, OfAttempt<T>>, { id, attempt }: AttemptRef): T | undefined {
  const entry = known.get(id);
  return entry?.attempt === attempt ? entry.what : undefined;
}

function forget(known: Map<TaskId, OfAttempt<unknown>>, { id, attempt }: AttemptRef): void {
  // As after most: code that waits for nothing is over where it began.
  if (known.size === 0) return;
  if (known.get(id)?.attempt === attempt) known.delete(id);
}

/** How code ends that is not here. */
export function noTask({ name }: Assignment): Ended {
  return failedWith(new UsageError(`this worker has no task "${name}"`));
}
