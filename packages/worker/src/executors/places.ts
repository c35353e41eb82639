/** An executor that keeps its places: those that have become free, with the memory limit that they were made with. */
import { ClosedError } from "@weft/protocol";
import type { Clock } from "@weft/transport";
import { failedWith } from "../run-attempt.ts";
import type { Ahead, Executor, Run } from "./executor.ts";
import { Job } from "./job.ts";
import type { Place, PlaceOptions } from "./place.ts";

export type PlacesOptions = {
  /** How many are kept when nothing runs in them. */
  readonly keptMax: number;
  readonly clock: Clock;
  readonly make: (options: PlaceOptions) => Place;
};

const NOTHING = (): void => undefined;

export class Places implements Executor, Ahead {
  private readonly options: PlacesOptions;
  /** Those that may be given something, and all that have not ended. */
  private readonly places = new Set<Place>();
  private readonly alive = new Set<Place>();
  private readonly free: Place[] = [];
  private closed = false;

  constructor(options: PlacesOptions) {
    this.options = options;
  }

  run: Executor["run"] = (task, input, outlet) => {
    const job = new Job({ task, input, outlet, onBegun: NOTHING });
    this.start(job);
    return job;
  };

  close: Executor["close"] = async () => {
    this.closed = true;
    await Promise.all([...this.alive].map((place) => place.end()));
  };

  /** What is stuck goes first: it was given earlier. */
  hasRoom: Ahead["hasRoom"] = (task) => {
    const { memoryMb } = task.definition.options;
    for (;;) {
      const room = this.roomFor(memoryMb);
      if (room === null) return false;
      const stuck = [...this.places].find((place) => place.isStuck && place.memoryMb === memoryMb);
      const job = stuck?.takeBack() ?? null;
      if (job === null) return true;
      room.runAhead(job);
    }
  };

  runAhead: Ahead["runAhead"] = (task, input, outlet, onBegun): Run => {
    const job = new Job({ task, input, outlet, onBegun });
    const room = this.roomFor(job.memoryMb);
    if (room === null) this.start(job);
    else room.runAhead(job);
    return job;
  };

  beginNow: Ahead["beginNow"] = () => {
    for (const place of this.places) {
      const job = place.takeBack();
      if (job === null) continue;
      this.start(job);
      return true;
    }
    return false;
  };

  private roomFor(memoryMb: number | null): Place | null {
    for (const place of this.places) if (place.memoryMb === memoryMb && place.hasRoomAhead()) return place;
    return null;
  }

  private start(job: Job): void {
    // A place that was made after the close would never end.
    if (this.closed) return job.ended(failedWith(new ClosedError("the worker")));
    try {
      this.take(job.memoryMb).run(job);
    } catch (error) {
      // The system gives no thread or process: no memory, no process id, no file descriptor.
      job.ended(failedWith(error));
    }
  }

  private take(memoryMb: number | null): Place {
    const { free, places, alive } = this;
    const { keptMax, clock, make } = this.options;
    const at = free.findLastIndex((place) => place.memoryMb === memoryMb);
    const kept = at < 0 ? undefined : free.splice(at, 1)[0];
    if (kept !== undefined) return kept;
    // The oldest free one has another limit: it makes room.
    if (places.size >= keptMax) this.discard(free[0]);
    const made = make({
      memoryMb,
      clock,
      onFree: (place) => this.onFree(place),
      onLeave: (place) => this.onLeave(place),
      onGone: (place, left) => {
        alive.delete(place);
        if (left !== null) this.start(left);
      },
    });
    places.add(made);
    alive.add(made);
    return made;
  }

  private onLeave(place: Place): void {
    this.places.delete(place);
    const at = this.free.indexOf(place);
    if (at >= 0) this.free.splice(at, 1);
  }

  private discard(place: Place | undefined): void {
    if (place === undefined) return;
    this.onLeave(place);
    // It ends by itself at the latest when the worker does.
    place.end().catch(() => undefined);
  }

  private onFree(place: Place): void {
    if (!this.closed && this.places.size <= this.options.keptMax) this.free.push(place);
    else if (!this.closed) this.discard(place);
  }
}
