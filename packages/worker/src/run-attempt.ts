/** Runs the code of one attempt, wherever it is: on the worker's event loop or in a thread. Never throws. */
import {
  decodeValue,
  encodeFailure,
  encodeValue,
  type Failure,
  failureOf,
  TaskCancelledError,
  type TaskId,
  type TaskName,
  VALUE_BYTES_MAX,
} from "@weft/protocol";
import { contextOf, runInContext, type TaskOutlet } from "./context.ts";
import type { TaskDefinition } from "./define-task.ts";

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
};

/** Cancels running code through its AbortSignal. */
export class Cancellation {
  private controller: AbortController | null = null;
  private reason: TaskCancelledError | null = null;

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

  request(task: { readonly id: TaskId; readonly name: TaskName }, reason: string | null): void {
    this.reason ??= new TaskCancelledError(task, reason);
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
    return { outcome: "succeeded", value: encodeValue(result, `the result of task ${input.name}`) };
  } catch (thrown) {
    if (cancellation.explains(thrown)) return { outcome: "cancelled", value: null };
    return failedWith(thrown);
  }
}

export function failedWith(thrown: unknown): AttemptEnd {
  return { outcome: "failed", value: encoded(readable(thrown)) };
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
  if (whole.length <= VALUE_BYTES_MAX) return whole;
  const nearest = cause === null ? null : { ...cause, cause: null };
  return encodeFailure({ ...failure, cause: nearest });
}
