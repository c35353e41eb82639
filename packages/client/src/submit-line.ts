/**
 * What is submitted, on its way to the log. A task whose argument is large waits until that is stored, and a task that
 * depends on one that waits, waits for it: the log gives a dependency that it does not know a minute only.
 */
import {
  type BlobOwner,
  ClosedError,
  type Submission,
  type TaskId,
  TooManyPendingError,
} from "@weft/protocol";

export type SubmitLineOptions = {
  /** Where large arguments are stored. */
  readonly writer: {
    isLarge(value: Uint8Array): boolean;
    admit(value: Uint8Array): void;
    store(value: Uint8Array, owner: BlobOwner): Promise<Uint8Array>;
  };
  /** Hands a task to the log. */
  readonly add: (submission: Submission) => void;
  /** It never got to the log, and never will. */
  readonly abandoned: (id: TaskId, error: Error) => void;
};

const WAITING_MAX = 100_000;

export class SubmitLine {
  private readonly options: SubmitLineOptions;
  /** Tasks that are not handed to the log yet, each with what resolves when it is. */
  private readonly waiting = new Map<TaskId, Promise<void>>();
  private closed = false;

  constructor(options: SubmitLineOptions) {
    this.options = options;
  }

  /** At once where it need not wait. Throws `TooManyPendingError` where too much waits already. */
  submit(submission: Submission): void {
    const { writer, add } = this.options;
    const { id, args, dependsOn } = submission;
    const isLarge = writer.isLarge(args);
    const before = this.waiting.size === 0 ? [] : this.waitedFor(dependsOn);
    if (!isLarge && before.length === 0) return add(submission);
    if (this.waiting.size >= WAITING_MAX) throw new TooManyPendingError("tasks", WAITING_MAX);
    if (isLarge) writer.admit(args);
    const handed = this.handOver(submission, isLarge, before).catch((error: unknown) =>
      this.options.abandoned(id, error as Error),
    );
    const gone = handed.finally(() => this.waiting.delete(id));
    this.waiting.set(id, gone);
  }

  /** Resolves when nothing waits. */
  async idle(): Promise<void> {
    while (this.waiting.size > 0) await Promise.all(this.waiting.values());
  }

  /** What waits is given up. */
  close(): void {
    this.closed = true;
  }

  private waitedFor(ids: readonly TaskId[]): Promise<void>[] {
    return ids.map((id) => this.waiting.get(id)).filter((each) => each !== undefined);
  }

  private async handOver(
    submission: Submission,
    isLarge: boolean,
    before: readonly Promise<void>[],
  ): Promise<void> {
    const { writer, add } = this.options;
    const { id, args } = submission;
    const stored = isLarge ? await writer.store(args, { task: id, attempt: null }) : args;
    await Promise.all(before);
    if (this.closed) throw new ClosedError("the client");
    add({ ...submission, args: stored });
  }
}
