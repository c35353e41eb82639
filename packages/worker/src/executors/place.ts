/**
 * A thread or a process as the worker sees it: it runs one attempt at a time, and when it dies it takes that attempt with
 * it and nothing else. Places are made when they are needed and kept.
 */
import { ClosedError } from "@weft/protocol";
import type { TaskOutlet } from "../context.ts";
import { type AttemptEnd, type AttemptInput, failedWith, TERMINATED } from "../run-attempt.ts";
import type { RegisteredTask } from "../task-registry.ts";
import type { Executor, Run } from "./executor.ts";
import type { FromInside, ToInside } from "./messages.ts";

export type PlaceOptions = {
  readonly memoryMb: number | null;
  readonly onFree: (place: Place) => void;
  /** It is to be given nothing any more; it may still take a while to end. */
  readonly onLeave: (place: Place) => void;
  /** It has ended. */
  readonly onGone: (place: Place) => void;
};

type Job = {
  readonly number: number;
  readonly input: AttemptInput;
  readonly outlet: TaskOutlet;
  readonly ended: (end: AttemptEnd) => void;
};

export abstract class Place {
  readonly memoryMb: number | null;
  private readonly options: PlaceOptions;
  private job: Job | null = null;
  private jobs = 0;
  private left = false;
  private terminating = false;

  constructor(options: PlaceOptions) {
    this.options = options;
    this.memoryMb = options.memoryMb;
  }

  /** Ends it by force, whatever runs in it; resolves when it has ended. */
  abstract end(): Promise<void>;
  protected abstract send(message: ToInside): void;

  run(task: RegisteredTask, input: AttemptInput, outlet: TaskOutlet): Run {
    const number = ++this.jobs;
    const end = new Promise<AttemptEnd>((ended) => {
      this.job = { number, input, outlet, ended };
    });
    this.send({ type: "run", job: number, moduleUrl: task.moduleUrl ?? "", input });
    return {
      end,
      stop: (request) => {
        if (this.job?.number === number) this.send({ type: "stop", job: number, request });
      },
      terminate: () => this.terminate(number),
    };
  }

  /** What runs in it, for messages to people. */
  protected get running(): AttemptInput | null {
    return this.job?.input ?? null;
  }

  /** Whether it is the present job's; what an earlier one left behind is nobody's. */
  protected isCurrent(message: FromInside): boolean {
    return this.job?.number === message.job;
  }

  protected deliver(message: FromInside): void {
    const { job } = this;
    if (job === null || !this.isCurrent(message)) return;
    if (message.type === "progress") job.outlet.progress(message.fraction, message.message, message.data);
    else if (message.type === "log") job.outlet.log(message.level, message.message, message.data);
    else if (message.type === "ended") {
      const { progress, end } = message;
      if (progress !== null) job.outlet.progress(progress.fraction, progress.message, progress.data);
      // One that is being ended by force must not be given another attempt.
      if (this.terminating) return;
      this.job = null;
      if (!this.left) this.options.onFree(this);
      job.ended(end);
    }
  }

  /** No longer to be given anything. */
  protected leave(): void {
    this.left = true;
    this.options.onLeave(this);
  }

  /** It has ended: `why` is what became of the attempt that ran in it. */
  protected gone(why: () => AttemptEnd): void {
    this.leave();
    this.options.onGone(this);
    const { job } = this;
    this.job = null;
    job?.ended(this.terminating ? TERMINATED : why());
  }

  private terminate(number: number): boolean {
    if (this.job?.number !== number || this.terminating) return true;
    this.terminating = true;
    this.leave();
    this.end().catch((error: unknown) => this.gone(() => failedWith(error)));
    return true;
  }
}

/** A place that was made after the close would never end. */
const ENDED: Run = {
  end: Promise.resolve(failedWith(new ClosedError("the worker"))),
  stop: () => undefined,
  terminate: () => true,
};

export type PlacesOptions = {
  /** How many are kept when nothing runs in them. */
  readonly keptMax: number;
  readonly make: (options: PlaceOptions) => Place;
};

/** An executor that keeps its places: those that have become free, with the memory limit that they were made with. */
export function placesExecutor({ keptMax, make }: PlacesOptions): Executor {
  /** Those that may be given something, and all that have not ended. */
  const places = new Set<Place>();
  const alive = new Set<Place>();
  const free: Place[] = [];
  let closed = false;

  const onLeave = (place: Place): void => {
    places.delete(place);
    const at = free.indexOf(place);
    if (at >= 0) free.splice(at, 1);
  };
  const discard = (place: Place | undefined): void => {
    if (place === undefined) return;
    onLeave(place);
    // It ends by itself at the latest when the worker does.
    place.end().catch(() => undefined);
  };
  const onFree = (place: Place): void => {
    if (!closed && places.size <= keptMax) free.push(place);
    else if (!closed) discard(place);
  };
  const take = (memoryMb: number | null): Place => {
    const at = free.findLastIndex((place) => place.memoryMb === memoryMb);
    const kept = at < 0 ? undefined : free.splice(at, 1)[0];
    if (kept !== undefined) return kept;
    // The oldest free one has another limit: it makes room.
    if (places.size >= keptMax) discard(free[0]);
    const made = make({ memoryMb, onFree, onLeave, onGone: (place) => void alive.delete(place) });
    places.add(made);
    alive.add(made);
    return made;
  };

  return {
    run(task, input, outlet) {
      if (closed) return ENDED;
      try {
        return take(task.definition.options.memoryMb).run(task, input, outlet);
      } catch (error) {
        // The system gives no thread or process: no memory, no process id, no file descriptor.
        return { ...ENDED, end: Promise.resolve(failedWith(error)) };
      }
    },
    async close() {
      closed = true;
      await Promise.all([...alive].map((place) => place.end()));
    },
  };
}
