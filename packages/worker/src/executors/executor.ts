/** What runs the code of attempts. One per kind; the worker chooses by the task's definition. */
import type { ExecutorKind } from "@weft/protocol";
import type { TaskOutlet } from "../context.ts";
import type { AttemptEnd, AttemptInput, StopRequest } from "../run-attempt.ts";
import type { RegisteredTask } from "../task-registry.ts";

export type Run = {
  /** How it ended, where it has already; else resolves with that, and never rejects. */
  readonly end: AttemptEnd | Promise<AttemptEnd>;
  /** Asks the code to stop, through its AbortSignal. */
  stop(request: StopRequest): void;
  /** Ends the code by force: it then has ended as `terminated`. False where this executor cannot. */
  terminate(): boolean;
};

/** One of each kind. */
export type Executors = Readonly<Record<ExecutorKind, Executor>>;

export type Executor = {
  readonly run: (task: RegisteredTask, input: AttemptInput, outlet: TaskOutlet) => Run;
  /** Ends all code that it can end by force, and resolves when that has ended, with what was being ended already. */
  readonly close: () => Promise<void>;
};
