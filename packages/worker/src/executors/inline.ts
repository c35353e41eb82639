/** Runs code on the worker's own event loop: the cheapest way, for code that mostly waits. */
import { ContextScope, type TaskOutlet } from "../context.ts";
import {
  type AttemptEnd,
  type AttemptInput,
  Cancellation,
  runAttempt,
  type StopRequest,
} from "../run-attempt.ts";
import type { RegisteredTask } from "../task-registry.ts";
import type { Executor, Run } from "./executor.ts";

export function inlineExecutor(): Executor {
  const scope = new ContextScope();
  return {
    run: (task, input, outlet) => new InlineRun(task, input, { scope, outlet }),
    close: async () => undefined,
  };
}

class InlineRun implements Run {
  readonly end: AttemptEnd | Promise<AttemptEnd>;
  private readonly cancellation = new Cancellation();
  private readonly input: AttemptInput;

  constructor(
    { definition }: RegisteredTask,
    input: AttemptInput,
    { scope, outlet }: { readonly scope: ContextScope; readonly outlet: TaskOutlet },
  ) {
    const { cancellation } = this;
    this.input = input;
    this.end = runAttempt(definition, input, { scope, outlet, cancellation });
  }

  stop(request: StopRequest): void {
    this.cancellation.request(this.input, request);
  }

  /** It shares its thread with everything else here. */
  terminate(): boolean {
    return false;
  }
}
