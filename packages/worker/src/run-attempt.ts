/** Runs the code of one attempt, wherever it is: on the worker's event loop or in a thread. Never throws. */
import {
  decodeValue,
  encodeFailure,
  encodeValue,
  FAILURE_BYTES_MAX,
  type Failure,
  type FinishFailure,
  failureOf,
  TaskCancelledError,
  type TaskId,
  type TaskName,
  TaskTimedOutError,
} from "@weft/protocol";
import { contextOf, runInContext, type TaskOutlet } from "./context.ts";
import type { TaskDefinition } from "./define-task.ts";
import { retryFactsOf } from "./retry-errors.ts";

export type AttemptInput = {
  readonly id: TaskId;
  readonly name: TaskName;
  readonly attempt: number;
  readonly args: Uint8Array;
  readonly deps: readonly (Uint8Array | null)[];
};

export type AttemptEnd = {
  readonly outcome: "succeeded" | "failed" | "cancelled" | "terminated";
  /** The value or the failure, encoded. */
  readonly value: Uint8Array | null;
  /** What a retry policy goes by; null where the code did not fail. */
  readonly failure: FinishFailure | null;
};

/** Why code is asked to stop: somebody cancelled its task, or it has run for as long as it may. */
export type StopRequest =
  | { readonly type: "cancelled"; readonly reason: string | null }
  | { readonly type: "timed_out"; readonly timeoutMs: number };

/** Stops running code through its AbortSignal. */
export class Cancellation {
  private controller: AbortController | null = null;
  private reason: TaskCancelledError | TaskTimedOutError | null = null;

  get requested(): boolean {
    return this.reason !== null;
  }

  /** Made when the code first looks at its signal. */
  use(): AbortController {
    if (this.controller === null) {
      this.controller = new AbortController();
      if (this.reason !== null) this.controller.abort(this.reason);
    }
    return this.controller;
  }

  request(task: { readonly id: TaskId; readonly name: TaskName }, stop: StopRequest): void {
    this.reason ??=
      stop.type === "cancelled"
        ? new TaskCancelledError(task, stop.reason)
        : new TaskTimedOutError(task, { limit: "run", ms: stop.timeoutMs, tries: 1 });
    this.controller?.abort(this.reason);
  }

  /** Whether code that threw this stopped because it was asked to. */
  explains(thrown: unknown): boolean {
    if (this.reason === null) return false;
    return thrown === this.reason || (thrown instanceof Error && thrown.name === "AbortError");
  }
}

export async function runAttempt(
  definition: TaskDefinition,
  input: AttemptInput,
  outlet: TaskOutlet,
  cancellation: Cancellation,
): Promise<AttemptEnd> {
  try {
    const deps = input.deps.map((dep) => (dep === null ? undefined : decodeValue(dep)));
    const facts = { id: input.id, name: input.name, attempt: input.attempt, deps };
    const context = contextOf(facts, outlet, () => cancellation.use());
    const args = decodeValue(input.args) as never;
    const result = await runInContext(context, () => definition.handler(args, context));
    const value = encodeValue(result, `the result of task ${input.name}`);
    return { outcome: "succeeded", value, failure: null };
  } catch (thrown) {
    if (cancellation.explains(thrown)) return CANCELLED;
    return failedWith(thrown);
  }
}

/** Code that stopped because it was asked to, or never began. */
export const CANCELLED: AttemptEnd = { outcome: "cancelled", value: null, failure: null };
/** Code that had to be ended by force. */
export const TERMINATED: AttemptEnd = { outcome: "terminated", value: null, failure: null };

export function failedWith(thrown: unknown): AttemptEnd {
  const failure = readable(thrown);
  return { outcome: "failed", value: encoded(failure), failure: retryFactsOf(thrown, failure.name) };
}

/** What was thrown is the user's: reading it may throw again. */
function readable(thrown: unknown): Failure {
  try {
    return failureOf(thrown);
  } catch {
    return failureOf(new Error("the task threw something that cannot be read"));
  }
}

/** A failure must fit into a record, as a result must: what lies deepest is left out first. */
function encoded(failure: Failure): Uint8Array {
  const { cause } = failure;
  const whole = encodeFailure(failure);
  if (whole.length <= FAILURE_BYTES_MAX) return whole;
  const nearest = cause === null ? null : { ...cause, cause: null };
  return encodeFailure({ ...failure, cause: nearest });
}
