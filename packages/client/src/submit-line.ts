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

/** A task on its way. */
export type Lined = {
  /** Its argument is stored, and a reference to that is in its place. */
  hand(submission: Submission): void;
  /** It never got to the log, and never will. */
  abandoned(error: Error): void;
};

export type SubmitLineOptions<Task extends Lined> = {
  /** Where large arguments are stored. */
  readonly writer: {
    isLarge(value: Uint8Array): boolean;
    admit(value: Uint8Array): void;
    store(value: Uint8Array, owner: BlobOwner): Promise<Uint8Array>;
  };
  /** Hands a task to the log. */
  readonly add: (task: Task) => void;
};

const WAITING_MAX = 100_000;
const NOTHING: readonly never[] = Object.freeze([]);

export class SubmitLine<Task extends Lined> {
  private readonly options: SubmitLineOptions<Task>;
  /** Tasks that are not handed to the log yet, each with what resolves when it is. */
  private readonly waiting = new Map<TaskId, Promise<void>>();
  private closed = false;

  constructor(options: SubmitLineOptions<Task>) {
    this.options = options;
  }

  /** At once where it need not wait. Throws `TooManyPendingError` where too much waits already. */
  submit(task: Task, submission: Submission): void {
    const { writer, add } = this.options;
    const { id, args, dependsOn } = submission;
    const isLarge = writer.isLarge(args);
    const before = this.waiting.size === 0 ? NOTHING : this.waitedFor(dependsOn);
    if (!isLarge && before.length === 0) return add(task);
    if (this.waiting.size >= WAITING_MAX) throw new TooManyPendingError("tasks", WAITING_MAX);
    if (isLarge) writer.admit(args);
    const handed = this.handOver(task, submission, before).catch((error: unknown) =>
      task.abandoned(error as Error),
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
    task: Task,
    submission: Submission,
    before: readonly Promise<void>[],
  ): Promise<void> {
    const { writer, add } = this.options;
    const { id, args } = submission;
    if (writer.isLarge(args))
      task.hand({ ...submission, args: await writer.store(args, { task: id, attempt: null }) });
    await Promise.all(before);
    if (this.closed) throw new ClosedError("the client");
    add(task);
  }
}
