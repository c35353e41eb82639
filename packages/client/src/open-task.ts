/**
 * A task of this client from its submission until it has settled: on its way to the log first, then followed. One object
 * has what the appender, the follower and the client know of it, since there may be a million of them.
 */
import {
  type Cancel,
  isBlobRef,
  type ProgressReport,
  type SettledTask,
  type Submission,
  type TaskId,
} from "@weft/protocol";
import type { OutboxItem } from "@weft/transport";
import type { Followed } from "./follower.ts";
import type { Settlement, TaskHandle } from "./handle.ts";
import { lastProgressOf, settlementOf, unknownOf, unreadableOf } from "./settlement.ts";
import { bytesOfSubmission } from "./submission.ts";

/** What it needs of its client. */
export type OpenTaskHost = {
  /** It is followed no more. */
  readonly forget: (task: OpenTask) => void;
  /** The log has it, at this sequence. */
  readonly accepted: (task: OpenTask, submission: Submission, seq: number) => void;
  /** The log will not have it from here. */
  readonly abandoned: (id: TaskId) => void;
  /** Its handle has what it came to. */
  readonly received: (task: SettledTask) => void;
  /** It has ended, and nothing is to be had of it. */
  readonly ended: (id: TaskId) => void;
  readonly readResult: (task: SettledTask, reference: Uint8Array) => Promise<Settlement<unknown>>;
};

export class OpenTask implements OutboxItem, Followed {
  readonly kind = "submit";
  readonly id: TaskId;
  readonly handle: TaskHandle;
  readonly openedAtMs: number;
  /** For the log; null once it is known to have it, and of a task that others submitted. */
  submission: Submission | null;
  bytes: number;
  isAccepted: boolean;
  unknownSinceMs: number | null = null;
  /** A cancel that must not overtake it on the way to the log. */
  earlyCancel: Cancel | null = null;
  private readonly host: OpenTaskHost;
  /** Made only where somebody asks. */
  private acceptance: PromiseWithResolvers<void> | null = null;
  /** Why the log will not have it from here. */
  private failure: Error | null = null;

  constructor(host: OpenTaskHost, handle: TaskHandle, submission: Submission | null, openedAtMs: number) {
    this.host = host;
    this.id = handle.id;
    this.handle = handle;
    this.submission = submission;
    this.bytes = submission === null ? 0 : bytesOfSubmission(submission);
    this.isAccepted = submission === null;
    this.openedAtMs = openedAtMs;
  }

  /** Its argument is stored elsewhere. */
  hand(submission: Submission): void {
    this.submission = submission;
    this.bytes = bytesOfSubmission(submission);
  }

  /** Resolves when the log has it. */
  accepted(): Promise<void> {
    if (this.isAccepted) return Promise.resolve();
    if (this.failure !== null) return Promise.reject(this.failure);
    this.acceptance ??= Promise.withResolvers<void>();
    return this.acceptance.promise;
  }

  acknowledged(seq: number): void {
    const { submission } = this;
    this.submission = null;
    this.isAccepted = true;
    this.acceptance?.resolve();
    if (submission !== null) this.host.accepted(this, submission, seq);
  }

  abandoned(error: Error): void {
    this.earlyCancel = null;
    this.failure = error;
    this.acceptance?.reject(error);
    this.host.abandoned(this.id);
  }

  progressed(report: ProgressReport): void {
    this.handle.progressed(report);
  }

  settled(task: SettledTask): void {
    this.host.forget(this);
    const { handle } = this;
    const progress = lastProgressOf(task);
    if (progress !== null) handle.progressed(progress);
    const { value } = task;
    if (value === null || !isBlobRef(value)) {
      handle.settle(settlementOf(task));
      this.host.received(task);
    } else handle.settleLater(task.outcome, () => this.host.readResult(task, value));
  }

  /** It has ended, and its value is not kept any more. */
  unreadable(task: SettledTask, error: Error): void {
    this.host.forget(this);
    this.host.ended(this.id);
    this.handle.settle(unreadableOf(task, error));
  }

  unknown(error: Error): void {
    this.host.forget(this);
    this.host.ended(this.id);
    this.handle.settle(unknownOf(error));
  }
}
