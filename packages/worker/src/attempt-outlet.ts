/** What the code of an attempt reports and logs, on its way out of the worker. */
import type { Assignment, AttemptRef } from "@weft/protocol";
import type { LogLevel, TaskOutlet } from "./context.ts";
import type { ProgressOutlet } from "./progress-outlet.ts";

export type AttemptOutletOptions = {
  readonly progress: ProgressOutlet;
  readonly isRunning: (attempt: AttemptRef) => boolean;
  readonly log: (line: string) => void;
  readonly onTaskLog: (level: LogLevel, task: AttemptRef, message: string, data: unknown) => void;
};

export function attemptOutlet(
  assignment: Assignment,
  { progress, isRunning, log, onTaskLog }: AttemptOutletOptions,
): TaskOutlet {
  const { id, attempt } = assignment;
  return {
    progress: (fraction, message, data) => {
      // Code that was left behind goes on reporting: nobody hears it.
      if (isRunning(assignment)) progress.report(assignment, { fraction, message, data });
    },
    log: (level, message, data) => {
      try {
        onTaskLog(level, { id, attempt }, message, data);
      } catch (error) {
        // It is the worker's owner who listens, not the task: the task must not fail of it.
        log(`onTaskLog threw: ${String(error)}`);
      }
    },
  };
}
