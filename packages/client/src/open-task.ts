/**
 * A task of this client from its submission until it has settled: on its way to the log first, then followed. One object is its
 * handle and has what the appender, the follower and the client know of it, since there may be a million of them.
 */
import { isBlobRef, type SettledTask, type Submission, type TaskId } from "@weft/protocol";
import type { OutboxItem } from "@weft/transport";
import type { Followed } from "./follower.ts";
import { type HandleHost, type Settlement, TaskHandle } from "./handle.ts";
import { lastProgressOf, settlementOf, unknownOf, unreadableOf } from "./settlement.ts";
import { bytesOfSubmission } from "./submission.ts";

/** What it needs of its client. */
export type OpenTaskHost = HandleHost & {
  /** It is followed no more. */
  readonly forget: (id: TaskId) => void;
  /** The log has it, at this sequence. */
  readonly accepted: (id: TaskId, seq: number) => void;
  /** The log will not have it from here. */
  readonly abandoned: (id: TaskId) => void;
  /** Its handle has what it came to. */
  readonly received: (task: SettledTask) => void;
  /** It has ended, and nothing is to be had of it. */
  readonly ended: (id: TaskId) => void;
  readonly readResult: (task: SettledTask, reference: Uint8Array) => Promise<Settlement<unknown>>;
};

/** One for all: most are asked by nobody. */
const ACCEPTED: PromiseWithResolvers<void> = Promise.withResolvers<void>();
ACCEPTED.resolve();

export class OpenTask<T = unknown> extends TaskHandle<T> implements OutboxItem, Followed {
  watchesBefore = 0;
  declare protected readonly host: OpenTaskHost;
  /** Until it is written into a record for the log; null too of a task that others submitted. */
  private submission: Submission | null;
  /** Whether the log has it; null while that is not known and nobody has asked. */
  private acceptance: PromiseWithResolvers<void> | null;

  constructor(id: TaskId, name: string | null, host: OpenTaskHost, submission: Submission | null) {
    super(id, name, host);
    this.submission = submission;
    this.acceptance = submission === null ? ACCEPTED : null;
  }

  get kind(): "submit" {
    return "submit";
  }

  get bytes(): number {
    return this.submission === null ? 0 : bytesOfSubmission(this.submission);
  }

  get isAccepted(): boolean {
    return this.acceptance === ACCEPTED;
  }

  /** Its argument is stored elsewhere. */
  hand(submission: Submission): void {
    this.submission = submission;
  }

  takeSubmission(): Submission | null {
    const { submission } = this;
    this.submission = null;
    return submission;
  }

  /** Resolves when the log has it. */
  whenAccepted(): Promise<void> {
    this.acceptance ??= Promise.withResolvers<void>();
    return this.acceptance.promise;
  }

  acknowledged(seq: number): void {
    this.acceptance?.resolve();
    this.acceptance = ACCEPTED;
    this.host.accepted(this.id, seq);
  }

  abandoned(error: Error): void {
    if (this.acceptance === null) {
      // Whoever asks from now on hears of it; until then it is nobody's.
      this.acceptance = Promise.withResolvers<void>();
      this.acceptance.promise.catch(() => undefined);
    }
    this.acceptance.reject(error);
    this.host.abandoned(this.id);
  }

  ended(task: SettledTask): void {
    this.host.forget(this.id);
    const progress = lastProgressOf(task);
    if (progress !== null) this.progressed(progress);
    const { value } = task;
    if (value === null || !isBlobRef(value)) {
      this.settle(settlementOf(task));
      this.host.received(task);
    } else this.settleLater(task.outcome, () => this.host.readResult(task, value));
  }

  /** It has ended, and its value is not kept any more. */
  unreadable(task: SettledTask, error: Error): void {
    this.host.forget(this.id);
    this.host.ended(this.id);
    this.settle(unreadableOf(task, error));
  }

  unknown(error: Error): void {
    this.host.forget(this.id);
    this.host.ended(this.id);
    this.settle(unknownOf(error));
  }
}
