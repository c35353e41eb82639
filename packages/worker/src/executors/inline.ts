/** Runs code on the worker's own event loop: the cheapest way, for code that mostly waits. */
import { Cancellation, runAttempt } from "../run-attempt.ts";
import type { Executor } from "./executor.ts";

export function inlineExecutor(): Executor {
  return {
    run(task, input, outlet) {
      const cancellation = new Cancellation();
      return {
        end: runAttempt(task.definition, input, outlet, cancellation),
        stop: (request) => cancellation.request(input, request),
        // It shares its thread with everything else here.
        terminate: () => false,
      };
    },
    close: async () => undefined,
  };
}
