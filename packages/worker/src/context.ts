/**
 * What a task's code sees while it runs: as its second parameter, and through AsyncLocalStorage anywhere below it.
 */
import { AsyncLocalStorage, AsyncResource } from "node:async_hooks";
import { checkProgress, type TaskId, type TaskName, UsageError } from "@weft/protocol";

export type TaskContext = {
  readonly id: TaskId;
  readonly name: TaskName;
  /** From 1; rises each time the task has to be run again. */
  readonly attempt: number;
  /** The results of the dependencies, in the order of `dependsOn`. */
  readonly deps: readonly unknown[];
  /** Fires when somebody cancels the task. Pass it on to `fetch` and the like. */
  readonly signal: AbortSignal;
  /** Reports progress, `fraction` from 0 to 1. At most 20 reports a second leave the worker; the last one always does. */
  readonly progress: (fraction: number, message?: string, data?: unknown) => void;
  readonly log: TaskLog;
};

export type LogLevel = "debug" | "info" | "warn" | "error";
export type TaskLog = { readonly [Level in LogLevel]: (message: string, data?: unknown) => void };

/** Where the reports of running code go. */
export type TaskOutlet = {
  readonly progress: (fraction: number, message: string | undefined, data: unknown) => void;
  readonly log: (level: LogLevel, message: string, data: unknown) => void;
};

const current = new AsyncLocalStorage<TaskContext>();

/** The task that the calling code belongs to; null outside any task. */
export function currentTask(): TaskContext | null {
  return current.getStore() ?? null;
}

/** Reports progress of the task that the calling code belongs to, `fraction` from 0 to 1. Throws `UsageError` outside a task. */
export function reportProgress(fraction: number, message?: string, data?: unknown): void {
  const context = currentTask();
  if (context === null) throw new UsageError("reportProgress was called outside a task");
  context.progress(fraction, message, data);
}

/** What the service has entered where this is made stays there beside the contexts of tasks. */
export class ContextScope {
  private readonly around = new AsyncResource("weft.task");

  /** As `current.run` does, which makes a map of contexts to enter with and another to leave with: 0.19 µs for 0.05. */
  run<T>(context: TaskContext, code: () => T): T {
    return this.around.runInAsyncScope(entered<T>, undefined, context, code);
  }
}

function entered<T>(context: TaskContext, code: () => T): T {
  current.enterWith(context);
  return code();
}

export type AttemptFacts = {
  readonly id: TaskId;
  readonly name: TaskName;
  readonly attempt: number;
};

/** Whoever can stop the code: what its signal hangs on is made when the code first looks at it. */
export type SignalSource = { readonly use: () => AbortController };

/** The signal, the log and the reporter are made when they are used: most tasks never look at them. */
export function contextOf(
  facts: AttemptFacts,
  deps: readonly unknown[],
  outlet: TaskOutlet,
  source: SignalSource,
): TaskContext {
  return new AttemptContext(facts, deps, outlet, source);
}

class AttemptContext implements TaskContext {
  readonly id: TaskId;
  readonly name: TaskName;
  readonly attempt: number;
  readonly deps: readonly unknown[];
  readonly #outlet: TaskOutlet;
  readonly #source: SignalSource;

  constructor(
    { id, name, attempt }: AttemptFacts,
    deps: readonly unknown[],
    outlet: TaskOutlet,
    source: SignalSource,
  ) {
    this.id = id;
    this.name = name;
    this.attempt = attempt;
    this.deps = deps;
    this.#outlet = outlet;
    this.#source = source;
  }

  /** A function of its own, so that it may be taken out of the context. */
  get progress(): TaskContext["progress"] {
    const outlet = this.#outlet;
    return (fraction, message, data) => {
      checkProgress(fraction, message, data);
      // What is reported is the data as it is now, and plain enough for any thread: the code may go on changing it.
      outlet.progress(fraction, message, data === undefined ? undefined : JSON.parse(JSON.stringify(data)));
    };
  }

  get signal(): AbortSignal {
    return this.#source.use().signal;
  }

  get log(): TaskLog {
    return logOf(this.#outlet);
  }
}

function logOf(outlet: TaskOutlet): TaskLog {
  const at =
    (level: LogLevel) =>
    (message: string, data?: unknown): void =>
      outlet.log(level, message, data);
  return { debug: at("debug"), info: at("info"), warn: at("warn"), error: at("error") };
}
