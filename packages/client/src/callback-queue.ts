/**
 * Runs the callbacks of one handle one after another, awaiting those that are async. A slow progress callback does not
 * pile up reports: while one waits to run, newer ones replace it.
 */
type Callback = () => unknown;
type Entry = { readonly callbacks: () => readonly Callback[]; readonly progress: boolean };

export class CallbackQueue {
  private readonly entries: Entry[] = [];
  private readonly onError: (error: Error) => void;
  private running = false;

  constructor(onError: (error: Error) => void) {
    this.onError = onError;
  }

  add(callback: Callback): void {
    this.entries.push({ callbacks: () => [callback], progress: false });
    this.start();
  }

  /** Reads what to call when its turn comes, and is not queued twice in a row. */
  coalesce(callbacks: () => readonly Callback[]): void {
    if (this.entries.at(-1)?.progress === true) return;
    this.entries.push({ callbacks, progress: true });
    this.start();
  }

  private start(): void {
    if (this.running) return;
    this.running = true;
    this.drain().catch((error: unknown) => this.onError(asError(error)));
  }

  private async drain(): Promise<void> {
    for (let entry = this.entries.shift(); entry !== undefined; entry = this.entries.shift()) {
      for (const callback of entry.callbacks()) {
        try {
          const returned = callback();
          if (isThenable(returned)) await returned;
        } catch (error) {
          this.report(error);
        }
      }
    }
    this.running = false;
  }

  /** The client's error listener is the user's code too. */
  private report(error: unknown): void {
    try {
      this.onError(asError(error));
    } catch (second) {
      process.emitWarning(asError(second));
    }
  }
}

/** Also what is only like a promise, as query builders and promises of other libraries are. */
function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof value === "object" && value !== null && "then" in value && typeof value.then === "function";
}

function asError(thrown: unknown): Error {
  return thrown instanceof Error ? thrown : new Error(String(thrown));
}
