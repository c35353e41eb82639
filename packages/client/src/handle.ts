/**
 * A task's handle: its result, its state, and callbacks that fire when the thing happens.
 *
 * H1 Callbacks of one handle run in order: progress before the outcome, each awaited before the next.
 * H2 A callback that throws is reported to the client and touches nothing else.
 * H3 A callback added after the fact fires at once.
 * H4 A handle settles once.
 */
import {
  type ClosedError,
  type Outcome,
  type Progress,
  type ProgressReport,
  type Stopped,
  type TaskId,
  type TaskState,
  UsageError,
} from "@weft/protocol";
import { CallbackQueue } from "./callback-queue.ts";

/** How a task ended. `error` is there for every outcome but `succeeded`. */
export type Settlement<T> = {
  readonly outcome: Outcome;
  readonly value?: T;
  readonly error?: Error;
  /** The number of its last attempt: it also counts those whose code never began. */
  readonly attempt: number;
  /** How many times its code was begun. */
  readonly tries: number;
  /** Where a cancel caught the task; null where none did. */
  readonly stopped: Stopped | null;
  /** How many others the same cancel stopped. */
  readonly also: AlsoStopped;
};

export type AlsoStopped = {
  /** Tasks that it had submitted, and what those had. */
  readonly children: number;
  /** Tasks that waited for one of them, where the cancel asked for it. */
  readonly dependents: number;
};

export type CancelOptions = {
  /**
   * What becomes of tasks that wait for it: they `fail`, with the cancel as the root of their causes, or are cancelled too.
   * @default "fail"
   */
  readonly dependents?: "fail" | "cancel";
};

export type CancelAnswer = {
  /** How the task ended after all: a success that was faster than the cancel stays one. */
  readonly outcome: Outcome;
  /** Where the cancel caught it; null where it did not. */
  readonly stopped: Stopped | null;
  readonly also: AlsoStopped;
};

/** What a handle needs of its client. */
export type HandleHost = {
  readonly accept: (id: TaskId) => Promise<void>;
  readonly cancel: (id: TaskId, reason: string | null, dependents: boolean) => void;
  readonly state: (id: TaskId) => Promise<TaskState | "unknown">;
  readonly listenToProgress: (id: TaskId) => void;
  readonly reportError: (error: Error) => void;
};

/** `told` is what it has been called with last, so that nothing reaches it twice and nothing old after something new. */
type ProgressListener = {
  readonly callback: (progress: Progress) => unknown;
  told: ProgressReport | null;
};

type Callback = (argument: unknown) => unknown;
type OutcomeListener =
  | { readonly of: "value"; readonly callback: (value: never) => unknown }
  | { readonly of: "error"; readonly callback: (error: Error) => unknown };

export class TaskHandle<T = unknown> {
  readonly id: TaskId;
  /** The task's name; null on a handle made from an id. */
  readonly name: string | null;
  private readonly host: HandleHost;
  private queue: CallbackQueue | null = null;
  // What is inside knows nothing of T, so that a handle of a number is a handle of an unknown too.
  private settlement: Settlement<unknown> | null = null;
  /** How it ended, where its result is large: that is read once somebody asks for it. */
  private ended: Outcome | null = null;
  private read: (() => Promise<Settlement<unknown>>) | null = null;
  private closed: ClosedError | null = null;
  private waiting: PromiseWithResolvers<Settlement<unknown>> | null = null;
  /** Null where there are none, as in most of what may be a million handles. */
  private progressListeners: ProgressListener[] | null = null;
  private outcomeListeners: OutcomeListener[] | null = null;
  private lastProgress: ProgressReport | null = null;

  /** Made by a client, not by users. */
  constructor(id: TaskId, name: string | null, host: HandleHost) {
    this.id = id;
    this.name = name;
    this.host = host;
  }

  /** Resolves when the log has the task: from then on it is not lost. */
  get accepted(): Promise<void> {
    return this.host.accept(this.id);
  }

  /** The task's result. Rejects with a `TaskError` for every other outcome, with `ClosedError` if the client closes first. */
  async result(): Promise<T> {
    return unwrap(await this.settled()) as T;
  }

  /** The result if it is there; null while it is not, as while a large one is read. Throws the task's error. */
  tryResult(): { readonly value: T } | null {
    this.beginRead();
    return this.settlement === null ? null : { value: unwrap(this.settlement) as T };
  }

  /** How the task ended, whatever that is. Rejects only with `ClosedError`, if the client closes first. */
  async settled(): Promise<Settlement<T>> {
    if (this.settlement !== null) return this.settlement as Settlement<T>;
    if (this.closed !== null) throw this.closed;
    this.waiting ??= Promise.withResolvers<Settlement<unknown>>();
    this.beginRead();
    return (await this.waiting.promise) as Settlement<T>;
  }

  /**
   * The task's state, as the leading coordinator has it. Rejects with `ResultExpiredError` where it has ended and is not kept
   * any more, as far as its id tells, and with `NoLeaderError` where nobody answers.
   */
  async state(): Promise<TaskState | "unknown"> {
    return this.settlement?.outcome ?? this.ended ?? this.host.state(this.id);
  }

  /**
   * Asks the cluster to stop the task and its children, and resolves when it has ended: before it began, between two tries,
   * or while it ran if its code heeds `ctx.signal` or can be ended by force. Idempotent.
   */
  async cancel(reason?: string, options: CancelOptions = {}): Promise<CancelAnswer> {
    const withDependents = cancelsDependents(options);
    if (this.settlement === null && this.ended === null && this.closed === null)
      this.host.cancel(this.id, reason ?? null, withDependents);
    const { outcome, stopped, also } = await this.settled();
    return { outcome, stopped, also };
  }

  onProgress(callback: (progress: Progress) => unknown): this {
    const listener = { callback, told: null };
    this.progressListeners ??= [];
    this.progressListeners.push(listener);
    if (this.settlement === null && this.ended === null) this.host.listenToProgress(this.id);
    if (this.lastProgress !== null) this.callbacks().add(() => this.tell(listener));
    return this;
  }

  onComplete(callback: (value: T) => unknown): this {
    this.listen({ of: "value", callback });
    return this;
  }

  onError(callback: (error: Error) => unknown): this {
    this.listen({ of: "error", callback });
    return this;
  }

  /** A handle is no value: pass its result, or depend on it. */
  toJSON(): never {
    throw new UsageError(
      `the handle of task ${this.id} cannot be an argument: pass its \`id\`, or name it in \`dependsOn\` and read \`ctx.deps\``,
    );
  }

  /** @internal */
  progressed(report: ProgressReport): void {
    const last = this.lastProgress;
    if (this.settlement !== null || (last !== null && report.attempt < last.attempt)) return;
    if (last !== null && isSame(last, report)) return;
    this.lastProgress = report;
    const listeners = this.progressListeners;
    if (listeners !== null)
      this.callbacks().coalesce(() => listeners.map((listener) => () => this.tell(listener)));
  }

  /** @internal */
  settle(settlement: Settlement<unknown>): void {
    if (this.settlement !== null) return;
    this.settlement = settlement;
    const listeners = this.outcomeListeners;
    this.outcomeListeners = null;
    if (listeners !== null) for (const listener of listeners) this.call(listener, settlement);
    this.waiting?.resolve(settlement);
  }

  /** @internal Its result is read when somebody asks for it, or waits for it already. */
  settleLater(outcome: Outcome, read: () => Promise<Settlement<unknown>>): void {
    if (this.settlement !== null || this.ended !== null) return;
    this.ended = outcome;
    this.read = read;
    if (this.waiting !== null || this.outcomeListeners !== null) this.beginRead();
  }

  /** @internal */
  close(error: ClosedError): void {
    if (this.settlement !== null) return;
    this.closed = error;
    // Whoever awaits the result hears of it; a rejection that nobody awaits is no news.
    this.waiting?.promise.catch(() => undefined);
    this.waiting?.reject(error);
  }

  /** Its turn has come: what it is told is the newest there is. */
  private tell(listener: ProgressListener): unknown {
    const report = this.lastProgress;
    if (report === null || report === listener.told) return undefined;
    listener.told = report;
    return listener.callback(report);
  }

  private listen(listener: OutcomeListener): void {
    if (this.settlement !== null) return this.call(listener, this.settlement);
    if (this.outcomeListeners === null) this.outcomeListeners = [listener];
    else this.outcomeListeners.push(listener);
    this.beginRead();
  }

  private call({ of, callback }: OutcomeListener, { error, value }: Settlement<unknown>): void {
    if (of === "value" && error === undefined) this.callbacks().add(callback as Callback, value);
    else if (of === "error" && error !== undefined) this.callbacks().add(callback as Callback, error);
  }

  private beginRead(): void {
    const { read } = this;
    if (read === null) return;
    this.read = null;
    read().then(
      (settlement) => this.settle(settlement),
      (error: unknown) => this.close(error as ClosedError),
    );
  }

  private callbacks(): CallbackQueue {
    this.queue ??= new CallbackQueue(this.host);
    return this.queue;
  }
}

function cancelsDependents(options: CancelOptions): boolean {
  for (const key of Object.keys(options))
    if (key !== "dependents") throw new UsageError(`cancel has no option "${key}" (known: dependents)`);
  const { dependents = "fail" } = options;
  if (dependents !== "fail" && dependents !== "cancel")
    throw new UsageError(`dependents must be "fail" or "cancel", got ${JSON.stringify(dependents)}`);
  return dependents === "cancel";
}

function unwrap(settlement: Settlement<unknown>): unknown {
  if (settlement.error !== undefined) throw settlement.error;
  return settlement.value;
}

function isSame(a: ProgressReport, b: ProgressReport): boolean {
  return (
    a.attempt === b.attempt &&
    a.fraction === b.fraction &&
    a.message === b.message &&
    JSON.stringify(a.data) === JSON.stringify(b.data)
  );
}
