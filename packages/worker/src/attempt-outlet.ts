/** What the code of an attempt reports and logs, on its way out of the worker. */
import type { AttemptRef } from "@weft/protocol";
import type { LogLevel, TaskOutlet } from "./context.ts";
import type { Held } from "./core/attempts.ts";
import type { ProgressOutlet } from "./progress-outlet.ts";

export type AttemptOutletOptions = {
  readonly progress: ProgressOutlet;
  readonly log: (line: string) => void;
  readonly onTaskLog: (level: LogLevel, task: AttemptRef, message: string, data: unknown) => void;
};

/** A class, for an attempt has one and most never use it. */
export class AttemptOutlet implements TaskOutlet {
  private readonly held: Held;
  private readonly options: AttemptOutletOptions;

  constructor(held: Held, options: AttemptOutletOptions) {
    this.held = held;
    this.options = options;
  }

  progress(fraction: number, message: string | undefined, data: unknown): void {
    const { assignment, state } = this.held;
    // Code that was left behind goes on reporting: nobody hears it.
    if (state === "running") this.options.progress.report(assignment, { fraction, message, data });
  }

  log(level: LogLevel, message: string, data: unknown): void {
    const { id, attempt } = this.held.assignment;
    try {
      this.options.onTaskLog(level, { id, attempt }, message, data);
    } catch (error) {
      // It is the worker's owner who listens, not the task: the task must not fail of it.
      this.options.log(`onTaskLog threw: ${String(error)}`);
    }
  }
}
