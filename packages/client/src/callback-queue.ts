/**
 * Runs the callbacks of one handle one after another, awaiting those that are async. A slow progress callback does not
 * pile up reports: while one waits to run, newer ones replace it.
 *
 * Most callbacks return at once: they are called where they come, without a promise or a list.
 */
type Callback = (argument: unknown) => unknown;
type Entry = {
  readonly callback: Callback;
  readonly argument: unknown;
  /** In place of a callback: what to call is read when its turn comes. */
  readonly later: (() => readonly Callback[]) | null;
};

/** Who hears of a callback that throws. */
export type CallbackHost = { readonly reportError: (error: Error) => void };

export class CallbackQueue {
  /** Null until one has to wait. */
  private entries: Entry[] | null = null;
  private readonly host: CallbackHost;
  private running = false;

  constructor(host: CallbackHost) {
    this.host = host;
  }

  /** Whether none runs or waits. */
  get isIdle(): boolean {
    return !this.running;
  }

  add(callback: Callback, argument?: unknown): void {
    if (this.running) this.enqueue({ callback, argument, later: null });
    else this.begin(callback, argument);
  }

  /** Reads what to call when its turn comes, and is not queued twice in a row. */
  coalesce(later: () => readonly Callback[]): void {
    if (this.entries?.at(-1)?.later != null) return;
    this.enqueue({ callback: nothing, argument: undefined, later });
    if (!this.running) this.begin(nothing, undefined);
  }

  private enqueue(entry: Entry): void {
    this.entries ??= [];
    this.entries.push(entry);
  }

  private begin(callback: Callback, argument: unknown): void {
    this.running = true;
    if (!this.call(callback, argument)) this.proceed();
  }

  /** Goes on until one has to be awaited, or none is left. */
  private proceed(): void {
    for (let entry = this.entries?.shift(); entry !== undefined; entry = this.entries?.shift()) {
      const { callback, argument, later } = entry;
      if (later === null) {
        if (this.call(callback, argument)) return;
      } else {
        const now = later().map((each) => ({ callback: each, argument: undefined, later: null }));
        this.entries?.unshift(...now);
      }
    }
    this.running = false;
  }

  /** Whether it is awaited: then the rest follows when it is done. */
  private call(callback: Callback, argument: unknown): boolean {
    try {
      const returned = callback(argument);
      if (!isThenable(returned)) return false;
      Promise.resolve(returned).then(
        () => this.proceed(),
        (error: unknown) => {
          this.report(error);
          this.proceed();
        },
      );
      return true;
    } catch (error) {
      this.report(error);
      return false;
    }
  }

  /** The client's error listener is the user's code too. */
  private report(error: unknown): void {
    try {
      this.host.reportError(asError(error));
    } catch (second) {
      process.emitWarning(asError(second));
    }
  }
}

const nothing = (): void => undefined;

/** Also what is only like a promise, as query builders and promises of other libraries are. */
function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof value === "object" && value !== null && "then" in value && typeof value.then === "function";
}

function asError(thrown: unknown): Error {
  return thrown instanceof Error ? thrown : new Error(String(thrown));
}
