/**
 * A process that runs in the foreground until it is told to stop: the first SIGINT or SIGTERM stops it gracefully, the
 * second at once. Signals count from before the start, so that one which comes on the heels of what the start printed is
 * not missed.
 */
import { flushCompileCache } from "node:module";
import { constants } from "node:os";

export type Running = {
  /** The graceful stop. */
  readonly stop: () => Promise<void>;
  /** Resolves when it has ended by itself: with the error that made it end, or null. @default never */
  readonly ended?: Promise<Error | null>;
};

export type Foreground = {
  readonly start: () => Promise<Running>;
  /** Before the process exits at once. */
  readonly abandon?: () => void;
  readonly log: (line: string) => void;
};

const SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"] as const;
/** What has nearly started is stopped gracefully; what waits for a server, say, is not waited for. */
const START_GRACE_MS = 1_000;

/** Resolves when it was stopped, or has ended without an error; rejects with the error that it ended with. */
export async function runInForeground({ start, abandon, log }: Foreground): Promise<void> {
  const told = Promise.withResolvers<null>();
  let signals = 0;
  let startGrace: NodeJS.Timeout | null = null;
  let isStarting = true;
  const leave = (signal: NodeJS.Signals): never => {
    abandon?.();
    process.exit(128 + (constants.signals[signal] ?? 0));
  };
  const onSignal = (signal: NodeJS.Signals): void => {
    signals++;
    if (signals > 1) {
      log(`${signal} again: stops at once`);
      leave(signal);
    }
    log(`${signal}: stops gracefully, once more stops at once`);
    if (isStarting) startGrace = setTimeout(() => leave(signal), START_GRACE_MS);
    told.resolve(null);
  };
  for (const signal of SIGNALS) process.on(signal, onSignal);
  try {
    const { stop, ended } = await start();
    isStarting = false;
    // Else it is written when the process ends: one that is killed would leave nothing to the next one.
    flushCompileCache();
    if (startGrace !== null) clearTimeout(startGrace);
    const error = await (ended === undefined ? told.promise : Promise.race([told.promise, ended]));
    // What ended by itself while it was being stopped is still being stopped.
    if (signals > 0) await stop();
    else if (error !== null) throw error;
  } finally {
    if (startGrace !== null) clearTimeout(startGrace);
    for (const signal of SIGNALS) process.off(signal, onSignal);
  }
}
