/**
 * Ends a thread before V8 has to: where several isolates of a process are out of memory at once, V8's own way out of it
 * (ending the code, with some MiB more to do so) may fail, and then it aborts the whole process.
 *
 * V8 collects garbage at the latest half way from what lives to its limit. So with a limit of M + 2d, what has at most M
 * alive never has more than M + d in its old generation, whatever garbage it makes; with the young one on top, that is
 * where a thread is ended. V8's limit stays as the last resort, for code that takes d at once or outruns the measuring.
 */
import type { HeapInfo } from "node:v8";
import { getHeapStatistics } from "node:v8";
import type { Clock, Timer } from "@weft/transport";

const MIB = 1024 * 1024;
const ROOM_MIN_MB = 64;
const ROOM_SHARE = 4;
const YOUNG_MB = 32;
const MEASURE_MS = 25;

export type HeapLimits = {
  /** What V8 is told, for its old generation. */
  readonly oldGenerationMb: number;
  /** Where the thread is ended. */
  readonly usedBytesMax: number;
};

/** `memoryMb` is what may be alive; null for what Node gives itself. */
export function heapLimits(memoryMb: number | null): HeapLimits {
  const aliveMb = memoryMb ?? Math.floor(getHeapStatistics().heap_size_limit / MIB);
  const roomMb = Math.max(ROOM_MIN_MB, Math.ceil(aliveMb / ROOM_SHARE));
  return {
    oldGenerationMb: aliveMb + 2 * roomMb,
    usedBytesMax: (aliveMb + roomMb + YOUNG_MB) * MIB,
  };
}

export type HeapWatchOptions = {
  readonly clock: Clock;
  readonly usedBytesMax: number;
  /** Rejects for a thread that has ended. */
  readonly measure: () => Promise<Pick<HeapInfo, "used_heap_size">>;
  readonly onFull: () => void;
};

/** Measures while code runs, one measurement at a time. */
export class HeapWatch {
  private readonly options: HeapWatchOptions;
  private timer: Timer | null = null;
  private measuring = false;

  constructor(options: HeapWatchOptions) {
    this.options = options;
  }

  start(): void {
    this.timer ??= this.options.clock.every(MEASURE_MS, () => this.measure());
  }

  stop(): void {
    this.timer?.cancel();
    this.timer = null;
  }

  private measure(): void {
    if (this.measuring) return;
    this.measuring = true;
    const { measure, usedBytesMax, onFull } = this.options;
    measure().then(
      (heap) => {
        this.measuring = false;
        if (this.timer === null || heap.used_heap_size <= usedBytesMax) return;
        this.stop();
        onFull();
      },
      () => {
        this.measuring = false;
      },
    );
  }
}
