/**
 * A process that runs in the foreground until it is told to stop: the first SIGINT or SIGTERM stops it gracefully, the
 * second at once.
 */
import { constants } from "node:os";

export type Foreground = {
  /** The graceful stop. */
  readonly stop: () => Promise<void>;
  /** Resolves when it has ended by itself: with the error that made it end, or null. @default never */
  readonly ended?: Promise<Error | null>;
  /** Before the process exits at once. */
  readonly abandon?: () => void;
  readonly log: (line: string) => void;
};

const SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

/** Resolves when it was stopped, or has ended without an error; rejects with the error that it ended with. */
export async function runInForeground({ stop, ended, abandon, log }: Foreground): Promise<void> {
  const stopping = Promise.withResolvers<void>();
  let signals = 0;
  const onSignal = (signal: NodeJS.Signals): void => {
    signals++;
    if (signals > 1) {
      log(`${signal} again: stops at once`);
      abandon?.();
      process.exit(128 + (constants.signals[signal] ?? 0));
    }
    log(`${signal}: stops gracefully, once more stops at once`);
    stop().then(stopping.resolve, stopping.reject);
  };
  for (const signal of SIGNALS) process.on(signal, onSignal);
  try {
    const stopped = stopping.promise.then(() => null);
    const error = await (ended === undefined ? stopped : Promise.race([stopped, ended]));
    // What ended by itself while it was being stopped is still being stopped.
    if (signals > 0) await stopping.promise;
    else if (error !== null) throw error;
  } finally {
    for (const signal of SIGNALS) process.off(signal, onSignal);
  }
}
