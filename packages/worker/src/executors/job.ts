/** The code of one attempt in a thread or a process: it runs there, or waits there behind other code. */
import type { TaskOutlet } from "../context.ts";
import type { AttemptEnd, AttemptInput, StopRequest } from "../run-attempt.ts";
import type { RegisteredTask } from "../task-registry.ts";
import type { Run } from "./executor.ts";

/** Where it is. */
export type JobPlace = {
  stop(job: Job, request: StopRequest): void;
  terminate(job: Job): boolean;
};

export type JobOptions = {
  readonly task: RegisteredTask;
  readonly input: AttemptInput;
  readonly outlet: TaskOutlet;
  /** Its code has begun. */
  readonly onBegun: () => void;
};

export class Job implements Run {
  readonly options: JobOptions;
  readonly end: Promise<AttemptEnd>;
  /** Ends it, once. */
  readonly ended: (end: AttemptEnd) => void;
  /** Which one of its place it is: a job that waits may go to another place. */
  number = 0;
  private place: JobPlace | null = null;
  private beganAtMs: number | null = null;

  constructor(options: JobOptions) {
    this.options = options;
    const { promise, resolve } = Promise.withResolvers<AttemptEnd>();
    this.end = promise;
    this.ended = resolve;
  }

  get memoryMb(): number | null {
    return this.options.task.definition.options.memoryMb;
  }

  goesTo(place: JobPlace, number: number): void {
    this.place = place;
    this.number = number;
  }

  begins(nowMs: number): void {
    this.beganAtMs = nowMs;
    this.options.onBegun();
  }

  runsForMs(nowMs: number): number {
    return this.beganAtMs === null ? 0 : nowMs - this.beganAtMs;
  }

  stop(request: StopRequest): void {
    this.place?.stop(this, request);
  }

  terminate(): boolean {
    return this.place?.terminate(this) ?? true;
  }
}
