/** A coordinator or worker that `weft dev` started: tells it when it is ready, and does not outlive it. */
import { EXIT_CODES } from "./exit-code.ts";

export type Parent = { readonly tellReady: () => void; readonly release: () => void };

export const READY = "ready";

/**
 * However the parent ends, its end of the channel closes. There is then no cluster to finish anything for: the server
 * goes down with the same parent.
 */
export function followParent(): Parent {
  const onOrphaned = (): never => process.exit(EXIT_CODES.unreachable);
  process.on("disconnect", onOrphaned);
  return {
    tellReady: () => void process.send?.(READY),
    release: () => {
      process.off("disconnect", onOrphaned);
      if (process.connected) process.disconnect();
    },
  };
}

/** For a process that nobody but its user started. */
export const NO_PARENT: Parent = { tellReady: () => undefined, release: () => undefined };
