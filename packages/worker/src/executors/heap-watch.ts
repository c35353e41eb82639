/**
 * Ends a thread before V8 has to: where several isolates of a process are out of memory at once, V8's own way out of it
 * (ending the code, with some MiB more to do so) may fail, and then it aborts the whole process.
 *
 * V8 collects garbage in good time where it has a processor for that: what has at most M alive then never has more than
 * M + d in its old generation for long, whatever garbage it makes. On a busy machine its collector lags behind, and the heap
 * grows beyond that before it shrinks again. So a thread is ended that stays above for a second, with the young generation on
 * top, or at once at M + 3d. V8's limit of M + 4d stays as the last resort, for code that takes d at once or outruns the measuring.
 */
import type { HeapInfo } from "node:v8";
import { getHeapStatistics } from "node:v8";
import type { Clock, Timer } from "@weft/transport";

const MIB = 1024 * 1024;
const ROOM_MIN_MB = 64;
const ROOM_SHARE = 4;
const YOUNG_MB = 32;
const MEASURE_MS = 25;
/** Longer than a collection of garbage takes that shares its processor with others. */
const ABOVE_MAX_MS = 1_000;

export type HeapLimits = {
  /** What V8 is told, for its old generation. */
  readonly oldGenerationMb: number;
  /** Where the thread is ended if it stays above for a while. */
  readonly usedBytesMax: number;
  /** Where it is ended at once. */
  readonly usedBytesEnd: number;
};

/** `memoryMb` is what may be alive; null for what Node gives itself. */
export function heapLimits(memoryMb: number | null): HeapLimits {
  const aliveMb = memoryMb ?? Math.floor(getHeapStatistics().heap_size_limit / MIB);
  const roomMb = Math.max(ROOM_MIN_MB, Math.ceil(aliveMb / ROOM_SHARE));
  return {
    oldGenerationMb: aliveMb + 4 * roomMb,
    usedBytesMax: (aliveMb + roomMb + YOUNG_MB) * MIB,
    usedBytesEnd: (aliveMb + 3 * roomMb + YOUNG_MB) * MIB,
  };
}

export type HeapWatchOptions = {
  readonly clock: Clock;
  readonly limits: HeapLimits;
  /** Rejects for a thread that has ended. */
  readonly measure: () => Promise<Pick<HeapInfo, "used_heap_size">>;
  readonly onFull: () => void;
};

/**
 * Measures while code runs, one measurement at a time. The timer goes on from one run to the next: set anew for each, it woke
 * the worker for runs that were over.
 */
export class HeapWatch {
  private readonly options: HeapWatchOptions;
  private timer: Timer | null = null;
  /** When the code that runs began; null where none does. */
  private startedAtMs: number | null = null;
  private runs = 0;
  private measuring = false;
  private aboveSinceMs: number | null = null;

  constructor(options: HeapWatchOptions) {
    this.options = options;
  }

  /** Code begins to run. */
  start(): void {
    const { clock } = this.options;
    this.runs++;
    this.startedAtMs = clock.nowMs();
    this.timer ??= clock.every(MEASURE_MS, () => this.turn());
  }

  /** It has ended. */
  stop(): void {
    this.startedAtMs = null;
    this.aboveSinceMs = null;
  }

  /** The thread has ended. */
  close(): void {
    this.stop();
    this.rest();
  }

  private turn(): void {
    const { startedAtMs } = this;
    if (startedAtMs === null) this.rest();
    // A short task has ended before it is due.
    else if (this.options.clock.nowMs() - startedAtMs >= MEASURE_MS / 2) this.measure();
  }

  private rest(): void {
    this.timer?.cancel();
    this.timer = null;
  }

  private measure(): void {
    if (this.measuring) return;
    this.measuring = true;
    const { measure, onFull } = this.options;
    const { runs } = this;
    measure().then(
      (heap) => {
        this.measuring = false;
        const isOver = this.startedAtMs === null || this.runs !== runs;
        if (isOver || !this.isFull(heap.used_heap_size)) return;
        this.stop();
        onFull();
      },
      () => {
        this.measuring = false;
      },
    );
  }

  private isFull(usedBytes: number): boolean {
    const { clock, limits } = this.options;
    if (usedBytes <= limits.usedBytesMax) {
      this.aboveSinceMs = null;
      return false;
    }
    const nowMs = clock.nowMs();
    this.aboveSinceMs ??= nowMs;
    return usedBytes > limits.usedBytesEnd || nowMs - this.aboveSinceMs >= ABOVE_MAX_MS;
  }
}
