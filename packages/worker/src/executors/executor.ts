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

/** How code is given to an executor before a slot is free for it: it begins as soon as other code there has ended. */
export type Ahead = {
  /** Whether some place there runs code that is expected to end soon, and has nothing that waits. */
  readonly hasRoom: (task: RegisteredTask) => boolean;
  /** `onBegun` is told when the code begins. Until then to stop it means that it never does: it has ended as `cancelled`. */
  readonly runAhead: (
    task: RegisteredTask,
    input: AttemptInput,
    outlet: TaskOutlet,
    onBegun: () => void,
  ) => Run;
  /** A slot is free: what waits, if anything does, begins in a place of its own. False where nothing waits. */
  readonly beginNow: () => boolean;
};

export type Executor = {
  /** Absent where it runs nothing but what has a slot. */
  readonly ahead?: Ahead;
  readonly run: (task: RegisteredTask, input: AttemptInput, outlet: TaskOutlet) => Run;
  /** Ends all code that it can end by force, and resolves when that has ended, with what was being ended already. */
  readonly close: () => Promise<void>;
};
