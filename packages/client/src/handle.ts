/**
 * A task's handle: its result, its state, and callbacks that fire when the thing happens.
 *
 * H1 Callbacks of one handle run in order: progress before the outcome, each awaited before the next.
 * H2 A callback that throws is reported to the client and touches nothing else.
 * H3 A callback added after the fact fires at once.
 * H4 A handle settles once.
 */
import { type InspectOptions, inspect } from "node:util";
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

type Progressing = { readonly listeners: ProgressListener[]; last: ProgressReport | null };

type Callback = (argument: unknown) => unknown;
/** One is by itself, as in most of what may be a million handles: a list takes another 56 bytes. */
type Listeners = Callback | Callback[] | null;

/** A result that is large: it is read once somebody asks for it. */
type Late = {
  readonly outcome: Outcome;
  /** Null once it has begun. */
  read: (() => Promise<Settlement<unknown>>) | null;
};

export class TaskHandle<T = unknown> {
  readonly id: TaskId;
  /** The task's name; null on a handle made from an id. */
  readonly name: string | null;
  protected readonly host: HandleHost;
  // What is inside knows nothing of T, so that a handle of a number is a handle of an unknown too.
  private settlement: Settlement<unknown> | null = null;
  private late: Late | null = null;
  private closed: ClosedError | null = null;
  private waiting: PromiseWithResolvers<Settlement<unknown>> | null = null;
  private valueListeners: Listeners = null;
  private errorListeners: Listeners = null;
  private progress: Progressing | null = null;
  /** While a callback runs. */
  private queue: CallbackQueue | null = null;

  static {
    /** What `console.log` shows of it: how it ended is null while that is not known. */
    const shown = function (this: TaskHandle, _depth: number, options: InspectOptions): string {
      const { id, name, settlement, late } = this;
      return `TaskHandle ${inspect({ id, name, outcome: settlement?.outcome ?? late?.outcome ?? null }, options)}`;
    };
    // A member with such a name cannot be declared where types are told file by file.
    Object.defineProperty(TaskHandle.prototype, inspect.custom, { value: shown });
  }

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
    return this.settlement?.outcome ?? this.late?.outcome ?? this.host.state(this.id);
  }

  /**
   * Asks the cluster to stop the task and its children, and resolves when it has ended: before it began, between two tries,
   * or while it ran if its code heeds `ctx.signal` or can be ended by force. Idempotent.
   */
  async cancel(reason?: string, options: CancelOptions = {}): Promise<CancelAnswer> {
    const withDependents = cancelsDependents(options);
    if (!this.hasEnded && this.closed === null) this.host.cancel(this.id, reason ?? null, withDependents);
    const { outcome, stopped, also } = await this.settled();
    return { outcome, stopped, also };
  }

  onProgress(callback: (progress: Progress) => unknown): this {
    const listener = { callback, told: null };
    const { listeners, last } = this.progressing();
    listeners.push(listener);
    if (!this.hasEnded) this.host.listenToProgress(this.id);
    if (last !== null) this.call(() => this.tell(listener), undefined);
    return this;
  }

  onComplete(callback: (value: T) => unknown): this {
    const { settlement } = this;
    if (settlement === null) this.valueListeners = joined(this.valueListeners, callback as Callback);
    else if (settlement.error === undefined) this.call(callback as Callback, settlement.value);
    this.beginRead();
    return this;
  }

  onError(callback: (error: Error) => unknown): this {
    const { settlement } = this;
    if (settlement === null) this.errorListeners = joined(this.errorListeners, callback as Callback);
    else if (settlement.error !== undefined) this.call(callback as Callback, settlement.error);
    this.beginRead();
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
    if (this.settlement !== null) return;
    const progress = this.progressing();
    const { listeners, last } = progress;
    if (last !== null && (report.attempt < last.attempt || isSame(last, report))) return;
    progress.last = report;
    if (listeners.length === 0) return;
    this.queue ??= new CallbackQueue(this.host);
    this.queue.coalesce(() => listeners.map((listener) => () => this.tell(listener)));
    this.rest();
  }

  /** @internal */
  settle(settlement: Settlement<unknown>): void {
    if (this.settlement !== null) return;
    this.settlement = settlement;
    const { error, value } = settlement;
    const listeners = error === undefined ? this.valueListeners : this.errorListeners;
    this.valueListeners = null;
    this.errorListeners = null;
    this.callAll(listeners, error ?? value);
    this.waiting?.resolve(settlement);
  }

  /** @internal Its result is read when somebody asks for it, or waits for it already. */
  settleLater(outcome: Outcome, read: () => Promise<Settlement<unknown>>): void {
    if (this.hasEnded) return;
    this.late = { outcome, read };
    if (this.waiting !== null || this.valueListeners !== null || this.errorListeners !== null)
      this.beginRead();
  }

  /** @internal */
  close(error: ClosedError): void {
    if (this.settlement !== null) return;
    this.closed = error;
    // Whoever awaits the result hears of it; a rejection that nobody awaits is no news.
    this.waiting?.promise.catch(() => undefined);
    this.waiting?.reject(error);
  }

  private get hasEnded(): boolean {
    return this.settlement !== null || this.late !== null;
  }

  private progressing(): Progressing {
    this.progress ??= { listeners: [], last: null };
    return this.progress;
  }

  /** Its turn has come: what it is told is the newest there is. */
  private tell(listener: ProgressListener): unknown {
    const report = this.progress?.last ?? null;
    if (report === null || report === listener.told) return undefined;
    listener.told = report;
    return listener.callback(report);
  }

  private callAll(listeners: Listeners, argument: unknown): void {
    if (listeners === null) return;
    if (Array.isArray(listeners)) for (const each of listeners) this.call(each, argument);
    else this.call(listeners, argument);
  }

  private call(callback: Callback, argument: unknown): void {
    this.queue ??= new CallbackQueue(this.host);
    this.queue.add(callback, argument);
    this.rest();
  }

  /** Most callbacks have returned by now, and leave nothing to wait for. */
  private rest(): void {
    if (this.queue?.isIdle === true) this.queue = null;
  }

  private beginRead(): void {
    const read = this.late?.read ?? null;
    if (this.late === null || read === null) return;
    this.late.read = null;
    read().then(
      (settlement) => this.settle(settlement),
      (error: unknown) => this.close(error as ClosedError),
    );
  }
}

function joined(listeners: Listeners, callback: Callback): Listeners {
  if (listeners === null) return callback;
  if (!Array.isArray(listeners)) return [listeners, callback];
  listeners.push(callback);
  return listeners;
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
